package io.github.rlhf4j.transformer.training;

import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Demonstration;
import io.github.rlhf4j.core.ScoredSequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Demonstrations as sequences whose assistant tokens are scored, none longer than the model's context.
 *
 * @param sequences those that are trained on, in the order of the demonstrations
 * @param truncated how many of them were cut
 * @param dropped how many demonstrations were left out
 */
record EncodedDemonstrations(List<ScoredSequence> sequences, int truncated, int dropped) {

    /**
     * Encodes demonstrations and applies the policy for those that are too long.
     *
     * @throws IllegalArgumentException when one is too long and that is to be rejected, or none is left
     */
    static EncodedDemonstrations of(
            String what, List<Demonstration> demonstrations, ChatFormat format, SftConfig config) {
        List<ScoredSequence> kept = new ArrayList<>(demonstrations.size());
        int truncated = 0;
        for (int i = 0; i < demonstrations.size(); i++) {
            ScoredSequence sequence = format.demonstration(demonstrations.get(i));
            boolean tooLong = sequence.length() > config.maxLength();
            if (tooLong && config.tooLong() == SftConfig.TooLong.REJECT) {
                throw new IllegalArgumentException(what + " demonstration " + i + " has " + sequence.length()
                        + " tokens and the model's context holds " + config.maxLength()
                        + "; shorten it, use a model with"
                        + " a longer context, or choose tooLong = DROP or TRUNCATE_END");
            }
            ScoredSequence fitting = tooLong ? cut(sequence, config) : sequence;
            if (fitting.scoredCount() > 0) {
                kept.add(fitting);
                truncated += tooLong ? 1 : 0;
            }
        }
        if (kept.isEmpty() && !demonstrations.isEmpty()) {
            throw new IllegalArgumentException(
                    "none of the " + demonstrations.size() + " " + what + " demonstrations has"
                            + " an assistant token within the model's context of " + config.maxLength()
                            + " tokens; use shorter prompts or a model with a longer context");
        }
        return new EncodedDemonstrations(List.copyOf(kept), truncated, demonstrations.size() - kept.size());
    }

    /** What is left of a sequence that is too long; without any scored token when it is to be dropped. */
    private static ScoredSequence cut(ScoredSequence sequence, SftConfig config) {
        int[] positions = config.tooLong() == SftConfig.TooLong.DROP
                ? new int[0]
                : Arrays.stream(sequence.positions())
                        .filter(position -> position < config.maxLength())
                        .toArray();
        return ScoredSequence.of(sequence.tokens().slice(0, config.maxLength()), positions);
    }
}
