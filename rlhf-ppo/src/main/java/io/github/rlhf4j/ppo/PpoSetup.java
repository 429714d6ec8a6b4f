package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.training.DataDigest;
import java.util.List;

/**
 * What a run must have in common with the checkpoint it resumes from.
 *
 * @param config all settings
 * @param promptsSha256 of the prompts, in their order
 * @param pretrainingSha256 of the pretraining texts; of none where they have no weight in the loss
 */
record PpoSetup(PpoConfig config, String promptsSha256, String pretrainingSha256) {

    static PpoSetup of(PpoParts parts) {
        boolean mixed = parts.config().losses().ptxCoefficient() > 0;
        return new PpoSetup(
                parts.config(),
                DataDigest.ofPrompts(parts.rollouts().prompts()),
                DataDigest.ofSequences(mixed ? parts.pretraining() : List.of()));
    }
}
