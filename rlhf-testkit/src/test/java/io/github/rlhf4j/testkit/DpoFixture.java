package io.github.rlhf4j.testkit;

import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Demonstration;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.ppo.preference.DpoConfig;
import io.github.rlhf4j.ppo.preference.DpoTrainer;
import io.github.rlhf4j.ppo.preference.DpoTrainerBuilder;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Preferences between the seven responses of at most two letters, on a policy where everything can be listed. */
final class DpoFixture {

    static final LetterTokenizer LETTERS = new LetterTokenizer(2);
    static final int LONGEST = 2;
    static final Sampling SAMPLING = Sampling.exact(LONGEST, 1, Set.of(LETTERS.end()));
    static final List<String> RESPONSES = List.of("", "a", "b", "aa", "ab", "ba", "bb");
    static final List<String> PROMPTS = List.of("aa", "ab");
    static final int CONTEXT = 4;

    private DpoFixture() {}

    /** A response of two letters has reached the limit and needs no stop token. */
    static final ChatFormat FORMAT = new ChatFormat() {
        @Override
        public TokenSequence prompt(Conversation conversation) {
            return LETTERS.encode(conversation.lastUserText());
        }

        @Override
        public TokenSequence response(String text) {
            TokenSequence letters = LETTERS.encode(text);
            return letters.length() < LONGEST ? letters.concat(TokenSequence.of(LETTERS.end())) : letters;
        }

        @Override
        public ScoredSequence demonstration(Demonstration demonstration) {
            throw new UnsupportedOperationException("not needed here");
        }

        @Override
        public Set<Integer> stopTokens() {
            return Set.of(LETTERS.end());
        }
    };

    /** Odds of a response under Bradley–Terry: a whole number, so that wins can be counted exactly. */
    static int odds(String prompt, String response) {
        int taste = response.length() - (response.endsWith("a") ? 1 : 0) + (prompt.endsWith("b") ? 1 : 0);
        return 1 << Math.min(2, taste);
    }

    /** The reward that those odds belong to. */
    static double reward(String prompt, String response) {
        return Math.log(odds(prompt, response));
    }

    /** Each pair of responses as often each way as its odds say. */
    static PreferenceDataset bradleyTerry() {
        List<Ranking> rankings = new ArrayList<>();
        for (String prompt : PROMPTS) {
            for (int i = 0; i < RESPONSES.size(); i++) {
                for (int j = 0; j < i; j++) {
                    addWins(rankings, prompt, RESPONSES.get(i), RESPONSES.get(j));
                    addWins(rankings, prompt, RESPONSES.get(j), RESPONSES.get(i));
                }
            }
        }
        return PreferenceDataset.of(rankings);
    }

    private static void addWins(List<Ranking> rankings, String prompt, String winner, String loser) {
        for (int n = 0; n < odds(prompt, winner); n++) {
            rankings.add(Ranking.ofPair(Conversation.of(prompt), winner, loser));
        }
    }

    /** Eight pairs of two prompts. */
    static PreferenceDataset pairs() {
        List<Ranking> rankings = new ArrayList<>();
        for (String prompt : PROMPTS) {
            for (String loser : List.of("", "b", "ab", "bb")) {
                rankings.add(Ranking.ofPair(Conversation.of(prompt), "a", loser));
            }
        }
        return PreferenceDataset.of(rankings);
    }

    static TabularPolicy policy() {
        return TabularPolicy.random(
                LETTERS, TabularContext.WHOLE_PREFIX, CONTEXT, TabularOptimizer.Adam.defaults(), 1, 0.5);
    }

    /** Batches of four. */
    static DpoConfig config(int epochs) {
        return DpoConfig.defaults(epochs, 3)
                .withBatchSize(4)
                .withSchedule(new LearningRateSchedule.Constant(0.05))
                .withEvaluateEvery(0);
    }

    /** A builder with every part that is needed, of which a test replaces some. */
    static DpoTrainerBuilder builder(TabularPolicy policy, DpoConfig config) {
        return DpoTrainer.builder().config(config).policy(policy).format(FORMAT).preferences(pairs());
    }
}
