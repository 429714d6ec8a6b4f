package io.github.rlhf4j.ppo.preference;

import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.TokenSequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Turns rankings and judgements into examples, none longer than the policy's context. */
final class ExampleReader {

    private final String use;
    private final ChatFormat format;
    private final int contextLength;
    private final DpoConfig.TooLong tooLong;
    private final List<Example> examples = new ArrayList<>();
    private int truncated;
    private int dropped;

    /**
     * A reader of one dataset.
     *
     * @param use what it is for, in errors: training or held-out
     */
    ExampleReader(String use, ChatFormat format, int contextLength, DpoConfig.TooLong tooLong) {
        this.use = use;
        this.format = format;
        this.contextLength = contextLength;
        this.tooLong = tooLong;
    }

    /** A response as tokens; null where it is left out. */
    private record Encoded(@Nullable ScoredSequence sequence, boolean cut) {}

    /** Each of the strict comparisons of each ranking. */
    Examples pairs(PreferenceDataset rankings) {
        for (int i = 0; i < rankings.size(); i++) {
            Ranking ranking = requireWinner(rankings.get(i), i);
            List<Encoded> responses = new ArrayList<>();
            for (int k = 0; k < ranking.size(); k++) {
                responses.add(encode(ranking.exchange(k), "response " + k + " of ranking " + i));
            }
            for (int w = 0; w < ranking.size(); w++) {
                for (int l = 0; l < ranking.size(); l++) {
                    if (ranking.prefers(w, l)) {
                        addPair(responses.get(w), responses.get(l));
                    }
                }
            }
        }
        return read();
    }

    private void addPair(Encoded chosen, Encoded rejected) {
        ScoredSequence winner = chosen.sequence;
        ScoredSequence loser = rejected.sequence;
        if (winner == null || loser == null) {
            dropped++;
        } else {
            examples.add(Example.ofPair(winner, loser));
            truncated += chosen.cut || rejected.cut ? 1 : 0;
        }
    }

    /** The best responses of each ranking as desirable and the worst as undesirable; what lies between is left out. */
    Examples bestAndWorst(PreferenceDataset rankings) {
        List<JudgedExchange> judgements = new ArrayList<>();
        for (int i = 0; i < rankings.size(); i++) {
            Ranking ranking = requireWinner(rankings.get(i), i);
            int best = Collections.min(ranking.ranks());
            int worst = Collections.max(ranking.ranks());
            for (int k = 0; k < ranking.size(); k++) {
                int rank = ranking.ranks().get(k);
                if (rank == best || rank == worst) {
                    judgements.add(new JudgedExchange(ranking.exchange(k), rank == best));
                }
            }
        }
        return judged(judgements);
    }

    private Ranking requireWinner(Ranking ranking, int index) {
        if (ranking.pairCount() == 0) {
            throw new IllegalArgumentException("ranking " + index + " of the " + use + " data has no winner: all "
                    + ranking.size()
                    + " responses tie, so there is nothing to learn from it; leave it out. Its prompt is"
                    + " \"" + ranking.conversation().last().content() + "\"");
        }
        return ranking;
    }

    /** Each response by itself, with the next response to another prompt to compare with. */
    Examples judged(List<JudgedExchange> judgements) {
        for (int i = 0; i < judgements.size(); i++) {
            Encoded encoded = encode(judgements.get(i).exchange(), "judged response " + i);
            ScoredSequence sequence = encoded.sequence;
            if (sequence == null) {
                dropped++;
            } else {
                examples.add(new Example(
                        List.of(sequence), List.of(), judgements.get(i).desirable()));
                truncated += encoded.cut ? 1 : 0;
            }
        }
        addMismatched();
        return read();
    }

    private Encoded encode(Exchange exchange, String what) {
        ScoredSequence sequence = format.exchange(exchange);
        if (sequence.length() <= contextLength) {
            return new Encoded(sequence.scoredCount() > 0 ? sequence : null, false);
        }
        return switch (tooLong) {
            case REJECT ->
                throw new IllegalArgumentException(what + " of the " + use + " data has "
                        + sequence.length() + " tokens with its prompt, and the policy's context holds " + contextLength
                        + "; shorten it, use a model with a longer context, or choose tooLong = DROP or TRUNCATE_END");
            case DROP -> new Encoded(null, false);
            case TRUNCATE_END -> new Encoded(cut(sequence), true);
        };
    }

    private @Nullable ScoredSequence cut(ScoredSequence sequence) {
        int[] positions = Arrays.stream(sequence.positions())
                .filter(position -> position < contextLength)
                .toArray();
        return positions.length == 0
                ? null
                : ScoredSequence.of(sequence.tokens().slice(0, contextLength), positions);
    }

    private void addMismatched() {
        List<TokenSequence> prompts =
                examples.stream().map(ExampleReader::prompt).toList();
        if (prompts.stream().distinct().count() == 1) {
            throw new IllegalArgumentException(
                    "all " + examples.size() + " responses of the " + use + " data answer one"
                            + " prompt, and KTO compares with responses to other prompts; give data with at least two");
        }
        for (int i = 0; i < examples.size(); i++) {
            int other = (i + 1) % examples.size();
            while (prompts.get(other).equals(prompts.get(i))) {
                other = (other + 1) % examples.size();
            }
            Example example = examples.get(i);
            TokenSequence response = response(examples.get(other));
            int room =
                    Math.min(response.length(), contextLength - prompts.get(i).length());
            ScoredSequence mismatched = ScoredSequence.of(prompts.get(i), response.slice(0, room));
            examples.set(i, new Example(example.learned(), List.of(mismatched), example.desirable()));
        }
    }

    private static TokenSequence prompt(Example example) {
        ScoredSequence sequence = example.learned().get(0);
        return sequence.tokens().slice(0, sequence.position(0));
    }

    private static TokenSequence response(Example example) {
        ScoredSequence sequence = example.learned().get(0);
        return sequence.tokens().slice(sequence.position(0), sequence.length());
    }

    private Examples read() {
        if (examples.isEmpty()) {
            throw new IllegalArgumentException("the " + use + " data has no example that can be learned from ("
                    + dropped + " were too long or empty); give at least one");
        }
        return new Examples(List.copyOf(examples), new DpoTrainer.Intake(examples.size(), truncated, dropped));
    }
}
