package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.TrainablePolicy;
import io.github.rlhf4j.ppo.internal.ReferenceRules;
import java.util.List;

/**
 * What every trainer on rollouts is made of, checked to fit together.
 *
 * @param policy the policy that is trained, and samples
 * @param reference the frozen policy that the KL is measured to
 * @param rewardModel scores responses
 * @param rewardConcurrency how it is called
 * @param prompts what responses are sampled to, at least one
 * @param listener is shown each rollout
 */
public record RolloutParts(
        TrainablePolicy policy,
        Policy reference,
        RewardModel rewardModel,
        RewardConcurrency rewardConcurrency,
        List<Prompt> prompts,
        RolloutListener listener) {

    public RolloutParts {
        prompts = List.copyOf(prompts);
        ReferenceRules.requireFrozen(policy, reference);
        requirePrompts(prompts, policy.contextLength());
    }

    private static void requirePrompts(List<Prompt> prompts, int contextLength) {
        if (prompts.isEmpty()) {
            throw new IllegalArgumentException("training needs at least one prompt to sample responses to, got none");
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
}
