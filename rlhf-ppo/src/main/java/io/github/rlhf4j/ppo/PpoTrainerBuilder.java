package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.ScoredSequence;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Collects the parts of a {@link PpoTrainer}; configuration and critic are needed beside those of every rollout. */
public final class PpoTrainerBuilder extends RolloutTrainerBuilder<PpoTrainerBuilder> {

    private @Nullable PpoConfig config;
    private @Nullable Critic critic;
    private List<ScoredSequence> pretraining = List.of();

    PpoTrainerBuilder() {}

    @Override
    protected PpoTrainerBuilder self() {
        return this;
    }

    public PpoTrainerBuilder config(PpoConfig settings) {
        config = settings;
        return this;
    }

    public PpoTrainerBuilder critic(Critic valueFunction) {
        critic = valueFunction;
        return this;
    }

    /** Pretraining text for PPO-ptx, used when {@link LossSettings#ptxCoefficient()} is above 0. */
    public PpoTrainerBuilder pretraining(List<ScoredSequence> texts) {
        pretraining = texts;
        return this;
    }

    /**
     * The trainer.
     *
     * @throws IllegalStateException naming the part that is missing
     * @throws IllegalArgumentException when parts do not fit together
     */
    public PpoTrainer build() {
        return new PpoTrainer(
                new PpoParts(required("config", config), rolloutParts(), required("critic", critic), pretraining));
    }
}
