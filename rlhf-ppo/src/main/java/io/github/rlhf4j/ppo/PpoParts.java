package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.ScoredSequence;
import java.util.List;

/** What a {@link PpoTrainer} is made of, checked to fit together. */
record PpoParts(PpoConfig config, RolloutParts rollouts, Critic critic, List<ScoredSequence> pretraining) {

    PpoParts {
        pretraining = List.copyOf(pretraining);
        rollouts.requireCorrected(config.advantages().correction(), "AdvantageSettings.withCorrection");
        requirePretraining(config.losses(), pretraining);
        rollouts.requireBounded(config.losses().aggregation());
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
