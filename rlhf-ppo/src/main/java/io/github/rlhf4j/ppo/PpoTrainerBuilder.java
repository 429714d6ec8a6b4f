package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.TrainablePolicy;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Collects the parts of a {@link PpoTrainer}; all but pretraining text and listener are needed. */
public final class PpoTrainerBuilder {

    private @Nullable PpoConfig config;
    private @Nullable TrainablePolicy policy;
    private @Nullable Policy reference;
    private @Nullable RewardModel rewardModel;
    private @Nullable Critic critic;
    private @Nullable List<Prompt> prompts;
    private List<ScoredSequence> pretraining = List.of();
    private RewardConcurrency rewardConcurrency = RewardConcurrency.ONE_CALL;
    private RolloutListener listener = (iteration, samples) -> {};

    PpoTrainerBuilder() {}

    public PpoTrainerBuilder config(PpoConfig settings) {
        config = settings;
        return this;
    }

    /** The policy that is trained; an {@link io.github.rlhf4j.core.ActorCritic} for a shared trunk. */
    public PpoTrainerBuilder policy(TrainablePolicy trained) {
        policy = trained;
        return this;
    }

    /** The frozen policy that the KL is measured to: a copy of where the trained one starts. It is only scored with. */
    public PpoTrainerBuilder reference(Policy frozen) {
        reference = frozen;
        return this;
    }

    public PpoTrainerBuilder rewardModel(RewardModel judge) {
        rewardModel = judge;
        return this;
    }

    /**
     * How the reward model is called; by default once, with the whole rollout. See {@link RewardConcurrency}.
     *
     * @param calls most calls in flight, ≥ 1
     * @param batch most exchanges of a call, ≥ 1
     */
    public PpoTrainerBuilder rewardConcurrency(int calls, int batch) {
        rewardConcurrency = new RewardConcurrency(calls, batch);
        return this;
    }

    public PpoTrainerBuilder critic(Critic valueFunction) {
        critic = valueFunction;
        return this;
    }

    /** What responses are sampled to: in a new random order each epoch. */
    public PpoTrainerBuilder prompts(List<Prompt> toAnswer) {
        prompts = toAnswer;
        return this;
    }

    /** Pretraining text for PPO-ptx, used when {@link LossSettings#ptxCoefficient()} is above 0. */
    public PpoTrainerBuilder pretraining(List<ScoredSequence> texts) {
        pretraining = texts;
        return this;
    }

    /** Is shown each rollout. */
    public PpoTrainerBuilder onRollout(RolloutListener shown) {
        listener = shown;
        return this;
    }

    /**
     * The trainer.
     *
     * @throws IllegalStateException naming the part that is missing
     * @throws IllegalArgumentException when parts do not fit together
     */
    public PpoTrainer build() {
        return new PpoTrainer(new PpoParts(
                required("config", config),
                required("policy", policy),
                required("reference", reference),
                required("rewardModel", rewardModel),
                rewardConcurrency,
                required("critic", critic),
                required("prompts", prompts),
                pretraining,
                listener));
    }

    private static <T> T required(String name, @Nullable T part) {
        if (part == null) {
            throw new IllegalStateException("a PPO trainer needs a " + name + "; call " + name + "(…) before build()");
        }
        return part;
    }
}
