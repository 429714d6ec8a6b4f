package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.ScoredSequence;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Collects the parts of a {@link PpoTrainer}; configuration and critic are needed beside those of every rollout, of which an
 * environment takes the place of the reward model.
 */
public final class PpoTrainerBuilder extends RolloutTrainerBuilder<PpoTrainerBuilder> {

    private @Nullable PpoConfig config;
    private @Nullable Critic critic;
    private @Nullable DialogueEnvironment environment;
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

    /** Answers the policy's turns and pays for them, in place of a reward model. */
    public PpoTrainerBuilder environment(DialogueEnvironment others) {
        environment = others;
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
        RolloutParts rollouts = environment == null ? rolloutParts() : partsWithoutRewardModel();
        Task task = environment == null
                ? new Task.SingleTurn(rollouts.rewardModel(), rollouts.rewardConcurrency())
                : new Task.Dialogues(environment);
        return new PpoTrainer(
                new PpoParts(required("config", config), rollouts, task, required("critic", critic), pretraining));
    }

    private RolloutParts partsWithoutRewardModel() {
        if (hasRewardModel()) {
            throw new IllegalStateException(
                    "a PPO trainer is paid by a rewardModel or by an environment, got both; have"
                            + " the environment ask the reward model when a dialogue ends");
        }
        return rolloutParts(batch -> {
            throw new IllegalStateException("dialogues are paid by their environment");
        });
    }
}
