package io.github.rlhf4j.ppo.group;

import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.TrainablePolicy;
import io.github.rlhf4j.ppo.RewardConcurrency;
import io.github.rlhf4j.ppo.RolloutListener;
import io.github.rlhf4j.ppo.internal.ReferenceRules;
import java.util.List;

/** What a {@link GroupTrainer} is made of, checked to fit together. */
record GroupParts(
        GroupConfig config,
        TrainablePolicy policy,
        Policy reference,
        RewardModel rewardModel,
        RewardConcurrency rewardConcurrency,
        List<Prompt> prompts,
        RolloutListener listener) {

    GroupParts {
        prompts = List.copyOf(prompts);
        ReferenceRules.requireFrozen(policy, reference);
        if (prompts.isEmpty()) {
            throw new IllegalArgumentException("training needs at least one prompt to sample responses to, got none");
        }
        for (int i = 0; i < prompts.size(); i++) {
            int length = prompts.get(i).tokens().length();
            if (length >= policy.contextLength()) {
                throw new IllegalArgumentException("prompt " + i + " has " + length
                        + " tokens, which leaves no room for a" + " response in the policy's context of "
                        + policy.contextLength() + "; shorten or drop it");
            }
        }
    }
}
