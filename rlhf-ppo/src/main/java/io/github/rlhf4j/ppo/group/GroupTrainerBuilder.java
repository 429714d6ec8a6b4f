package io.github.rlhf4j.ppo.group;

import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.ppo.RolloutParts;
import io.github.rlhf4j.ppo.RolloutTrainerBuilder;
import org.jspecify.annotations.Nullable;

/** Collects the parts of a {@link GroupTrainer}; a configuration is needed beside those of every rollout. */
public final class GroupTrainerBuilder extends RolloutTrainerBuilder<GroupTrainerBuilder> {

    private @Nullable GroupConfig config;
    private @Nullable Policy sampler;

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
     * Draws the responses in place of the policy, which then scores them: an older copy of it, or one of coarser numbers. It is
     * the caller's to bring it nearer to the policy now and then, between steps, and again after a checkpoint was restored.
     * Needs a {@link GroupAlgorithm#correction()}, and stays within its terms only as long as the two are near.
     */
    public GroupTrainerBuilder sampler(Policy other) {
        sampler = other;
        return this;
    }

    /**
     * The trainer.
     *
     * @throws IllegalStateException naming the part that is missing
     * @throws IllegalArgumentException when parts do not fit together
     */
    public GroupTrainer build() {
        GroupConfig settings = required("config", config);
        RolloutParts parts = rolloutParts();
        return new GroupTrainer(settings, parts, sampler == null ? parts.policy() : sampler);
    }
}
