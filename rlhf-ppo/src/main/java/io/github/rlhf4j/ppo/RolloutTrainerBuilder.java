package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.TrainablePolicy;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Collects the parts that every trainer on rollouts has; all but the sampler, the listener and the way of calling the reward
 * model are needed, of reward model and environment one.
 *
 * @param <B> the builder that extends this
 */
public abstract class RolloutTrainerBuilder<B extends RolloutTrainerBuilder<B>> {

    private @Nullable TrainablePolicy policy;
    private @Nullable Policy sampler;
    private @Nullable Policy reference;
    private @Nullable RewardModel rewardModel;
    private @Nullable DialogueEnvironment environment;
    private @Nullable List<Prompt> prompts;
    private RewardConcurrency rewardConcurrency = RewardConcurrency.ONE_CALL;
    private RolloutListener listener = (iteration, samples) -> {};

    protected RolloutTrainerBuilder() {}

    /** This builder. */
    protected abstract B self();

    /** The policy that is trained; with PPO an {@link io.github.rlhf4j.core.ActorCritic} for a shared trunk. */
    public final B policy(TrainablePolicy trained) {
        policy = trained;
        return self();
    }

    /**
     * Draws the responses in place of the policy, which then scores them: an older copy of it, or one of coarser numbers. It is
     * only asked for completions. It is the caller's to bring it nearer to the policy now and then, between steps, and again
     * after a checkpoint was restored.
     *
     * <p>A policy gradient needs a correction for what it draws differently ({@link AdvantageSettings#correction()}, {@link
     * io.github.rlhf4j.ppo.group.GroupAlgorithm#correction()}), and stays within its terms only as long as the two are near.
     * Online DPO needs none: its loss compares two responses, whoever wrote them. The KL of metrics, of the controller of β and of
     * the budget is a mean over what the sampler drew, which is not weighted.
     */
    public final B sampler(Policy other) {
        sampler = other;
        return self();
    }

    /** The frozen policy that the KL is measured to: a copy of where the trained one starts. It is only scored with. */
    public final B reference(Policy frozen) {
        reference = frozen;
        return self();
    }

    public final B rewardModel(RewardModel judge) {
        rewardModel = judge;
        return self();
    }

    /** Answers the policy's turns and pays for them, in place of a reward model: responses are dialogues of several turns. */
    public final B environment(DialogueEnvironment others) {
        environment = others;
        return self();
    }

    /**
     * How the reward model is called; by default once, with the whole rollout. See {@link RewardConcurrency}.
     *
     * @param calls most calls in flight, ≥ 1
     * @param batch most exchanges of a call, ≥ 1
     */
    public final B rewardConcurrency(int calls, int batch) {
        rewardConcurrency = new RewardConcurrency(calls, batch);
        return self();
    }

    /** What responses are sampled to: in a new random order each epoch. */
    public final B prompts(List<Prompt> toAnswer) {
        prompts = toAnswer;
        return self();
    }

    /** Is shown each rollout. */
    public final B onRollout(RolloutListener shown) {
        listener = shown;
        return self();
    }

    /**
     * The parts so far.
     *
     * @throws IllegalStateException naming the part that is missing
     * @throws IllegalArgumentException when parts do not fit together
     */
    protected final RolloutParts rolloutParts() {
        TrainablePolicy trained = required("policy", policy);
        return new RolloutParts(
                trained,
                sampler == null ? trained : sampler,
                required("reference", reference),
                task(),
                required("prompts", prompts),
                listener);
    }

    private Task task() {
        if (environment == null) {
            if (rewardModel == null) {
                throw new IllegalStateException(
                        "this trainer needs a rewardModel, or an environment for dialogues; call"
                                + " rewardModel(…) or environment(…) before build()");
            }
            return new Task.SingleTurn(rewardModel, rewardConcurrency);
        }
        if (rewardModel != null) {
            throw new IllegalStateException("a policy is paid by a rewardModel or by an environment, got both; have the"
                    + " environment ask the reward model when a dialogue ends");
        }
        return new Task.Dialogues(environment);
    }

    /**
     * A part that must be there.
     *
     * @throws IllegalStateException naming it when it is not
     */
    protected static <T> T required(String name, @Nullable T part) {
        if (part == null) {
            throw new IllegalStateException("this trainer needs a " + name + "; call " + name + "(…) before build()");
        }
        return part;
    }
}
