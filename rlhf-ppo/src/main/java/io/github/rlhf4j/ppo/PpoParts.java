package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.ppo.math.Aggregation;
import java.util.List;

/** What a {@link PpoTrainer} is made of, checked to fit together. */
record PpoParts(PpoConfig config, RolloutParts rollouts, Task task, Critic critic, List<ScoredSequence> pretraining) {

    PpoParts {
        pretraining = List.copyOf(pretraining);
        requirePretraining(config.losses(), pretraining);
        requireBounded(config.losses(), task);
    }

    private static void requireBounded(LossSettings losses, Task task) {
        if (task instanceof Task.Dialogues && losses.aggregation() == Aggregation.CONSTANT_LENGTH) {
            throw new IllegalArgumentException(
                    "CONSTANT_LENGTH divides by the most tokens that the policy can say, which"
                            + " a dialogue of any number of turns does not have; use SEQUENCE_SUM or another aggregation");
        }
    }

    private static void requirePretraining(LossSettings losses, List<ScoredSequence> pretraining) {
        if (losses.ptxCoefficient() == 0) {
            return;
        }
        if (pretraining.isEmpty()) {
            throw new IllegalArgumentException("ptxCoefficient is " + losses.ptxCoefficient() + ", but there is no"
                    + " pretraining text; give it to the builder's pretraining(…), or set the coefficient to 0");
        }
        for (int i = 0; i < pretraining.size(); i++) {
            if (pretraining.get(i).scoredCount() == 0) {
                throw new IllegalArgumentException("pretraining sequence " + i + " has no scored token, so it teaches"
                        + " nothing; drop sequences of fewer than two tokens");
            }
        }
    }
}
