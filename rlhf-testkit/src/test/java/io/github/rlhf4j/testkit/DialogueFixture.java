package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.Critic;
import io.github.rlhf4j.ppo.DialogueEnvironment;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.PpoTrainer;
import io.github.rlhf4j.ppo.PpoTrainerBuilder;
import io.github.rlhf4j.ppo.Reaction;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Dialogues of two turns of one letter each on tabular policies: the policy, the user, the policy. */
final class DialogueFixture {

    static final LetterTokenizer LETTERS = new LetterTokenizer(3);
    static final Sampling ONE_TOKEN = Sampling.exact(1, 1, Set.of());
    static final List<Prompt> PROMPTS = List.of(PpoFixture.prompt("aa"), PpoFixture.prompt("ab"));

    /** The user says "ac" or "bc" by chance, and pays for what the policy says then: its own letter again, after a b. */
    static final DialogueEnvironment CHANCE = dialogue -> {
        if (dialogue.turn() == 0) {
            return Reaction.goOn(0, LETTERS.encode(dialogue.key().uniform() < 0.5 ? "ac" : "bc"));
        }
        return Reaction.end(reward(dialogue.tokens()));
    };

    /** The user says the letter again, between two c's, and pays for both: a c at once, then another letter than the first. */
    static final DialogueEnvironment MIRROR = dialogue -> dialogue.turn() == 0
            ? Reaction.goOn(early(dialogue.turnText()), LETTERS.encode("c" + dialogue.turnText() + "c"))
            : Reaction.end(late(dialogue.tokens()));

    private DialogueFixture() {}

    private static double early(String turn) {
        return turn.equals("c") ? 0.5 : 0;
    }

    /** Most after an a. */
    private static double late(TokenSequence tokens) {
        int first = tokens.get(2);
        int last = tokens.get(tokens.length() - 1);
        return first == last ? 0 : first == 0 ? 1.5 : 0.7;
    }

    /** What {@link #MIRROR} pays for a dialogue. */
    static double mirrorReward(TokenSequence tokens) {
        return early(LETTERS.decode(tokens.slice(2, 3))) + late(tokens);
    }

    /** Every dialogue with {@link #MIRROR}, listed; the stop token is a letter like the others here. */
    static ResponseDistribution mirrored(TabularPolicy policy, Prompt prompt) {
        Map<TokenSequence, Double> found = new LinkedHashMap<>();
        for (int first = 0; first < LETTERS.vocabularySize(); first++) {
            TokenSequence user = LETTERS.encode("c" + LETTERS.decode(TokenSequence.of(first)) + "c");
            TokenSequence asked =
                    prompt.tokens().concat(TokenSequence.of(first)).concat(user);
            double[] next = policy.logProbs(asked, 1);
            for (int last = 0; last < next.length; last++) {
                double logProb = policy.logProbs(prompt.tokens(), 1)[first] + next[last];
                found.put(asked.concat(TokenSequence.of(last)), Math.exp(logProb));
            }
        }
        return new ResponseDistribution(found);
    }

    static TokenSequence after(Prompt prompt, String... texts) {
        return prompt.tokens().concat(LETTERS.encode(String.join("", texts)));
    }

    /** What {@link #CHANCE} pays for is nearly certain: a b, and then the user's letter. */
    static void assertLearned(TabularPolicy policy, double least) {
        for (Prompt prompt : PROMPTS) {
            assertThat(probability(policy, prompt.tokens(), "b")).isGreaterThan(least);
            assertThat(probability(policy, after(prompt, "b", "ac"), "a")).isGreaterThan(least);
            assertThat(probability(policy, after(prompt, "b", "bc"), "b")).isGreaterThan(least);
        }
    }

    private static double probability(TabularPolicy policy, TokenSequence prefix, String letter) {
        return Math.exp(policy.logProbs(prefix, 1)[LETTERS.encode(letter).get(0)]);
    }

    /** Of prompt, first letter, two of the user's, last letter. */
    static double reward(TokenSequence tokens) {
        boolean first = tokens.get(2) == LETTERS.encode("b").get(0);
        boolean echo = tokens.get(tokens.length() - 1) == tokens.get(3);
        return first && echo ? 1 : 0;
    }

    static TabularPolicy policy() {
        return TabularPolicy.random(LETTERS, TabularContext.WHOLE_PREFIX, 16, TabularOptimizer.Adam.defaults(), 1, 0.5);
    }

    static TabularValueFunction values() {
        return new TabularValueFunction(TabularContext.WHOLE_PREFIX, TabularOptimizer.Adam.defaults());
    }

    static PpoConfig config(int iterations, BatchPlan plan) {
        return PpoConfig.of(iterations, plan, ONE_TOKEN, 42)
                .withRates(new LearningRateSchedule.Constant(0.05), new LearningRateSchedule.Constant(0.05));
    }

    /** A builder with every part but what pays. */
    static PpoTrainerBuilder builder(TabularPolicy policy, PpoConfig config) {
        return PpoTrainer.builder()
                .config(config)
                .policy(policy)
                .reference(policy.copy())
                .critic(Critic.separate(values()))
                .prompts(PROMPTS);
    }
}
