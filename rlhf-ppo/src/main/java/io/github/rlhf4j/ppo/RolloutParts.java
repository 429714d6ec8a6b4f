package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.TrainablePolicy;
import io.github.rlhf4j.ppo.internal.ReferenceRules;
import io.github.rlhf4j.ppo.math.Aggregation;
import io.github.rlhf4j.ppo.math.RolloutCorrection;
import java.util.List;

/**
 * What every trainer on rollouts is made of, checked to fit together.
 *
 * @param policy the policy that is trained
 * @param sampler draws the responses: the policy itself, or another over the same tokens
 * @param reference the frozen policy that the KL is measured to
 * @param task what the policy does with a prompt, and who pays for it: a reward model or an environment
 * @param prompts what responses are sampled to, at least one
 * @param listener is shown each rollout
 */
public record RolloutParts(
        TrainablePolicy policy,
        Policy sampler,
        Policy reference,
        Task task,
        List<Prompt> prompts,
        RolloutListener listener) {

    public RolloutParts {
        prompts = List.copyOf(prompts);
        ReferenceRules.requireFrozen(policy, reference);
        ReferenceRules.requireSameTokens(policy, sampler);
        requirePrompts(prompts, policy.contextLength());
    }

    /**
     * Refuses a mean over the most tokens that the policy can say where there is no such number.
     *
     * @throws IllegalArgumentException when responses are dialogues and the aggregation is {@link Aggregation#CONSTANT_LENGTH}
     */
    public void requireBounded(Aggregation aggregation) {
        if (task instanceof Task.Dialogues && aggregation == Aggregation.CONSTANT_LENGTH) {
            throw new IllegalArgumentException(
                    "CONSTANT_LENGTH divides by the most tokens that the policy can say, which"
                            + " a dialogue of any number of turns does not have; use SEQUENCE_SUM or another aggregation");
        }
    }

    /**
     * Finds a policy gradient that would take another policy's draws for its own.
     *
     * @param setting where a correction is configured, for the message
     * @throws IllegalArgumentException when the sampler is not the policy and nothing makes up for it
     */
    public void requireCorrected(RolloutCorrection correction, String setting) {
        if (sampler != policy && correction instanceof RolloutCorrection.None) {
            throw new IllegalArgumentException(
                    "a sampler that is not the policy needs a correction of the advantages for what it draws"
                            + " differently, got RolloutCorrection.None; see " + setting);
        }
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
