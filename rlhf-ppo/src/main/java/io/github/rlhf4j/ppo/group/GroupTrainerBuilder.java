package io.github.rlhf4j.ppo.group;

import io.github.rlhf4j.ppo.RolloutTrainerBuilder;
import org.jspecify.annotations.Nullable;

/** Collects the parts of a {@link GroupTrainer}; a configuration is needed beside those of every rollout. */
public final class GroupTrainerBuilder extends RolloutTrainerBuilder<GroupTrainerBuilder> {

    private @Nullable GroupConfig config;

    GroupTrainerBuilder() {}

    @Override
    protected GroupTrainerBuilder self() {
        return this;
    }

    public GroupTrainerBuilder config(GroupConfig settings) {
        config = settings;
        return this;
    }

    /**
     * The trainer.
     *
     * @throws IllegalStateException naming the part that is missing
     * @throws IllegalArgumentException when parts do not fit together
     */
    public GroupTrainer build() {
        return new GroupTrainer(required("config", config), rolloutParts());
    }
}
