package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.TrainablePolicy;
import io.github.rlhf4j.ppo.internal.ReferenceRules;
import java.util.List;

/** What a {@link PpoTrainer} is made of, checked to fit together. */
record PpoParts(
        PpoConfig config,
        TrainablePolicy policy,
        Policy reference,
        RewardModel rewardModel,
        RewardConcurrency rewardConcurrency,
        Critic critic,
        List<Prompt> prompts,
        List<ScoredSequence> pretraining,
        RolloutListener listener) {

    PpoParts {
        prompts = List.copyOf(prompts);
        pretraining = List.copyOf(pretraining);
        ReferenceRules.requireFrozen(policy, reference);
        requirePrompts(prompts, policy.contextLength());
        requirePretraining(config.losses(), pretraining);
    }

    private static void requirePrompts(List<Prompt> prompts, int contextLength) {
        if (prompts.isEmpty()) {
            throw new IllegalArgumentException("PPO needs at least one prompt to sample responses to, got none");
        }
        for (int i = 0; i < prompts.size(); i++) {
            int length = prompts.get(i).tokens().length();
            if (length >= contextLength) {
                throw new IllegalArgumentException(
                        "prompt " + i + " has " + length + " tokens, which leaves no room for"
                                + " a response in the policy's context of " + contextLength + "; shorten or drop it");
            }
        }
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
