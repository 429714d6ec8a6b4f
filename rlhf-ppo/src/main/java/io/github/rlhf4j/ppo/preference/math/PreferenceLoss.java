package io.github.rlhf4j.ppo.preference.math;

/**
 * What is minimised to learn from preferences: by comparing two responses, or by judging one at a time. A loss of one's own
 * is a {@link PairLoss}.
 */
public sealed interface PreferenceLoss permits PairLoss, KtoLoss {

    /** The reward that a policy trained with this loss stands for; what diagnostics and an exported reward model report. */
    ImplicitReward reward();
}
