package io.github.rlhf4j.ppo.preference;

import io.github.rlhf4j.ppo.RolloutTrainerBuilder;
import org.jspecify.annotations.Nullable;

/** Collects the parts of an {@link OnlineDpoTrainer}; a configuration is needed beside those of every rollout. */
public final class OnlineDpoTrainerBuilder extends RolloutTrainerBuilder<OnlineDpoTrainerBuilder> {

    private @Nullable OnlineDpoConfig config;

    OnlineDpoTrainerBuilder() {}

    @Override
    protected OnlineDpoTrainerBuilder self() {
        return this;
    }

    public OnlineDpoTrainerBuilder config(OnlineDpoConfig settings) {
        config = settings;
        return this;
    }

    /**
     * The trainer.
     *
     * @throws IllegalStateException naming the part that is missing
     * @throws IllegalArgumentException when parts do not fit together
     */
    public OnlineDpoTrainer build() {
        return new OnlineDpoTrainer(required("config", config), rolloutParts());
    }
}
