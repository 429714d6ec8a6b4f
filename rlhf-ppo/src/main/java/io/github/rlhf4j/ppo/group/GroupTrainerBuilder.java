package io.github.rlhf4j.ppo.group;

import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.TrainablePolicy;
import io.github.rlhf4j.ppo.RewardConcurrency;
import io.github.rlhf4j.ppo.RolloutListener;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Collects the parts of a {@link GroupTrainer}; all but the listener are needed. */
public final class GroupTrainerBuilder {

    private @Nullable GroupConfig config;
    private @Nullable TrainablePolicy policy;
    private @Nullable Policy reference;
    private @Nullable RewardModel rewardModel;
    private RewardConcurrency rewardConcurrency = RewardConcurrency.ONE_CALL;
    private @Nullable List<Prompt> prompts;
    private RolloutListener listener = (iteration, samples) -> {};

    GroupTrainerBuilder() {}

    public GroupTrainerBuilder config(GroupConfig settings) {
        config = settings;
        return this;
    }

    /** The policy that is trained. */
    public GroupTrainerBuilder policy(TrainablePolicy trained) {
        policy = trained;
        return this;
    }

    /** The frozen policy that the KL is measured to: a copy of where the trained one starts. It is only scored with. */
    public GroupTrainerBuilder reference(Policy frozen) {
        reference = frozen;
        return this;
    }

    public GroupTrainerBuilder rewardModel(RewardModel judge) {
        rewardModel = judge;
        return this;
    }

    /**
     * How the reward model is called; by default once, with the whole rollout. See {@link RewardConcurrency}.
     *
     * @param calls most calls in flight, ≥ 1
     * @param batch most exchanges of a call, ≥ 1
     */
    public GroupTrainerBuilder rewardConcurrency(int calls, int batch) {
        rewardConcurrency = new RewardConcurrency(calls, batch);
        return this;
    }

    /** What responses are sampled to: in a new random order each epoch. */
    public GroupTrainerBuilder prompts(List<Prompt> toAnswer) {
        prompts = toAnswer;
        return this;
    }

    /** Is shown each rollout. */
    public GroupTrainerBuilder onRollout(RolloutListener shown) {
        listener = shown;
        return this;
    }

    /**
     * The trainer.
     *
     * @throws IllegalStateException naming the part that is missing
     * @throws IllegalArgumentException when parts do not fit together
     */
    public GroupTrainer build() {
        return new GroupTrainer(new GroupParts(
                required("config", config),
                required("policy", policy),
                required("reference", reference),
                required("rewardModel", rewardModel),
                rewardConcurrency,
                required("prompts", prompts),
                listener));
    }

    private static <T> T required(String name, @Nullable T part) {
        if (part == null) {
            throw new IllegalStateException(
                    "a group trainer needs a " + name + "; call " + name + "(…) before build()");
        }
        return part;
    }
}
