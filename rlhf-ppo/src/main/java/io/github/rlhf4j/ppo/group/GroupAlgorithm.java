package io.github.rlhf4j.ppo.group;

import io.github.rlhf4j.ppo.math.Aggregation;
import io.github.rlhf4j.ppo.math.CispoLoss;
import io.github.rlhf4j.ppo.math.ClippedPolicyLoss;
import io.github.rlhf4j.ppo.math.DrGrpoAdvantages;
import io.github.rlhf4j.ppo.math.GroupAdvantages;
import io.github.rlhf4j.ppo.math.GrpoAdvantages;
import io.github.rlhf4j.ppo.math.GspoLoss;
import io.github.rlhf4j.ppo.math.KlEstimator;
import io.github.rlhf4j.ppo.math.KlPenalty;
import io.github.rlhf4j.ppo.math.OverlongPunishment;
import io.github.rlhf4j.ppo.math.PolicyLoss;
import io.github.rlhf4j.ppo.math.RaftAdvantages;
import io.github.rlhf4j.ppo.math.ReinforceAdvantages;
import io.github.rlhf4j.ppo.math.ReinforceLoss;
import io.github.rlhf4j.ppo.math.ReinforcePlusPlusAdvantages;
import io.github.rlhf4j.ppo.math.RlooAdvantages;
import io.github.rlhf4j.ppo.math.RolloutCorrection;
import org.jspecify.annotations.Nullable;

/**
 * Which of the relatives is run; the factories are the papers', each choice is free.
 *
 * @param advantages how rewards become advantages
 * @param loss what their gradient goes through
 * @param aggregation what the loss is a mean over
 * @param lossKl the KL to the reference as a term of the loss; which divergence its gradient lowers {@link KlPenalty} says. A KL
 *     in the reward is {@link io.github.rlhf4j.ppo.RewardSettings#kl}
 * @param overlong added to the score by length, or null for none
 * @param resamplings how often prompts are drawn again, in place of those whose responses all earn the same, by what
 *     their scores count as, the KL in the reward aside (dynamic sampling); 0 is off
 * @param correction for rollouts that a policy other than the trained one drew ({@link io.github.rlhf4j.ppo.RolloutTrainerBuilder#sampler})
 */
public record GroupAlgorithm(
        GroupAdvantages advantages,
        PolicyLoss loss,
        Aggregation aggregation,
        KlPenalty lossKl,
        @Nullable OverlongPunishment overlong,
        int resamplings,
        RolloutCorrection correction) {

    public GroupAlgorithm {
        if (resamplings < 0) {
            throw new IllegalArgumentException("resamplings must be ≥ 0 (0 is off), got " + resamplings);
        }
    }

    private static GroupAlgorithm of(GroupAdvantages advantages, PolicyLoss loss, Aggregation aggregation) {
        return new GroupAlgorithm(
                advantages, loss, aggregation, KlPenalty.none(), null, 0, new RolloutCorrection.None());
    }

    /** GRPO (Shao et al. 2024): PPO's clipping at 0.2, means of sequence means, 0.04·K3 in the loss. */
    public static GroupAlgorithm grpo() {
        return of(GrpoAdvantages.defaults(), new ClippedPolicyLoss(0.2), Aggregation.SEQUENCE_MEAN)
                .withLossKl(KlEstimator.K3, 0.04);
    }

    /** Dr. GRPO (Liu et al. 2025): no standard deviation, a constant length, no KL. */
    public static GroupAlgorithm drGrpo() {
        return of(new DrGrpoAdvantages(), new ClippedPolicyLoss(0.2), Aggregation.CONSTANT_LENGTH);
    }

    /**
     * DAPO (Yu et al. 2025): clip-higher (0.2, 0.28), token mean, dynamic sampling, soft overlong punishment, no KL.
     *
     * @param overlong the punishment; the paper's buffer is a fifth of its limit
     */
    public static GroupAlgorithm dapo(OverlongPunishment overlong) {
        return of(GrpoAdvantages.defaults(), new ClippedPolicyLoss(0.2, 0.28, 0), Aggregation.TOKEN_MEAN)
                .withOverlong(overlong)
                .withResamplings(10);
    }

    /** GSPO (Zheng et al. 2025): one ratio per sequence, means of sequence means, no KL. */
    public static GroupAlgorithm gspo() {
        return of(GrpoAdvantages.defaults(), GspoLoss.defaults(), Aggregation.SEQUENCE_MEAN);
    }

    /** CISPO (MiniMax 2025): clipped importance weights without a lower limit, token mean, no KL. */
    public static GroupAlgorithm cispo() {
        return of(GrpoAdvantages.defaults(), new CispoLoss(1, 0.28), Aggregation.TOKEN_MEAN);
    }

    /**
     * RLOO (Ahmadian et al. 2024): sequences are the actions; give the KL in the reward. For one pass over a rollout; exact with
     * one minibatch, for a second one is a step away from the policy that sampled, of which the loss knows nothing.
     */
    public static GroupAlgorithm rloo() {
        return of(new RlooAdvantages(), new ReinforceLoss(), Aggregation.SEQUENCE_SUM);
    }

    /** REINFORCE with the mean of all other responses as baseline; give the KL in the reward. One pass, as {@link #rloo}. */
    public static GroupAlgorithm reinforce() {
        return of(new ReinforceAdvantages(), new ReinforceLoss(), Aggregation.SEQUENCE_SUM);
    }

    /** REINFORCE++ (Hu et al. 2025): PPO's clipping on whitened rewards to go; give the KL in the reward, by token. */
    public static GroupAlgorithm reinforcePlusPlus() {
        return of(
                new ReinforcePlusPlusAdvantages(ReinforcePlusPlusAdvantages.Baseline.NONE),
                new ClippedPolicyLoss(0.2),
                Aggregation.TOKEN_MEAN);
    }

    /** RAFT (Dong et al. 2023): maximum likelihood of the best response to each prompt. */
    public static GroupAlgorithm raft() {
        return of(new RaftAdvantages(), new ReinforceLoss(), Aggregation.SEQUENCE_MEAN);
    }

    public GroupAlgorithm withAdvantages(GroupAdvantages estimator) {
        return new GroupAlgorithm(estimator, loss, aggregation, lossKl, overlong, resamplings, correction);
    }

    public GroupAlgorithm withLoss(PolicyLoss policyLoss) {
        return new GroupAlgorithm(advantages, policyLoss, aggregation, lossKl, overlong, resamplings, correction);
    }

    public GroupAlgorithm withAggregation(Aggregation mean) {
        return new GroupAlgorithm(advantages, loss, mean, lossKl, overlong, resamplings, correction);
    }

    /** With an estimate of the KL from the tokens that were drawn. */
    public GroupAlgorithm withLossKl(KlEstimator estimator, double coefficient) {
        return withLossKl(new KlPenalty.Estimated(estimator, coefficient));
    }

    /** With a KL in the loss, {@link KlPenalty.Exact} for that of whole distributions. */
    public GroupAlgorithm withLossKl(KlPenalty penalty) {
        return new GroupAlgorithm(advantages, loss, aggregation, penalty, overlong, resamplings, correction);
    }

    public GroupAlgorithm withOverlong(@Nullable OverlongPunishment punishment) {
        return new GroupAlgorithm(advantages, loss, aggregation, lossKl, punishment, resamplings, correction);
    }

    public GroupAlgorithm withResamplings(int most) {
        return new GroupAlgorithm(advantages, loss, aggregation, lossKl, overlong, most, correction);
    }

    public GroupAlgorithm withCorrection(RolloutCorrection weights) {
        return new GroupAlgorithm(advantages, loss, aggregation, lossKl, overlong, resamplings, weights);
    }
}
