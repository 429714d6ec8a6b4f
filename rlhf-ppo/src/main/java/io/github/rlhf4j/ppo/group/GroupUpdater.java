package io.github.rlhf4j.ppo.group;

import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.TokenBudget;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.TrainablePolicy;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.ppo.JudgedRollouts;
import io.github.rlhf4j.ppo.internal.LossKl;
import io.github.rlhf4j.ppo.math.PolicyLossResult;
import io.github.rlhf4j.ppo.math.Ragged;
import java.util.Arrays;
import java.util.stream.IntStream;

/** The inner loop: epochs over a rollout, minibatch by minibatch, micro-batch by micro-batch. */
final class GroupUpdater {

    private final GroupConfig config;
    private final GroupAlgorithm algorithm;
    private final TrainablePolicy policy;
    private final LossKl kl;
    private final JudgedRollouts rollouts;
    private final RandomKey minibatchKey;

    GroupUpdater(GroupConfig config, TrainablePolicy policy, LossKl kl, JudgedRollouts rollouts, RandomKey key) {
        this.config = config;
        this.algorithm = config.algorithm();
        this.policy = policy;
        this.kl = kl;
        this.rollouts = rollouts;
        this.minibatchKey = key.child("minibatches");
    }

    /**
     * Epochs × minibatches of updates on a rollout, fewer when the approximate KL passes its limit.
     *
     * @param rateFactor what the learning rate is multiplied by
     */
    GroupTally optimise(GroupExperience experience, long iteration, double rateFactor) {
        GroupTally tally = new GroupTally();
        int size = config.batches().minibatch();
        double limit = config.guards().approximateKlLimit();
        for (int epoch = 0; epoch < config.epochs(); epoch++) {
            int[] order = minibatchKey
                    .child(iteration)
                    .child(epoch)
                    .permutation(experience.batch().size());
            for (int from = 0; from < order.length; from += size) {
                accumulate(experience.select(Arrays.copyOfRange(order, from, from + size)), epoch == 0, tally);
                tally.addUpdate(policy.update(rateFactor * config.rate().at(iteration)));
                if (limit > 0 && tally.lastApproximateKl() > limit) {
                    return tally;
                }
            }
        }
        return tally;
    }

    /** Adds a minibatch's gradients. Each micro-batch takes its rows' weights within the minibatch, so they add up. */
    private void accumulate(GroupExperience minibatch, boolean firstEpoch, GroupTally tally) {
        double[] weights = algorithm
                .aggregation()
                .rowWeights(
                        Ragged.lengths(minibatch.logProbs()), config.sampling().maxNewTokens());
        for (TokenBudget.Range range : TokenBudget.ranges(
                minibatch.batch().size(),
                i -> minibatch.batch().sequences().get(i).length(),
                config.microBatchTokens())) {
            GroupExperience micro =
                    minibatch.select(IntStream.range(range.from(), range.to()).toArray());
            double[] rowWeights = Arrays.copyOfRange(weights, range.from(), range.to());
            try (ForwardPass pass = kl.forward(policy, micro.batch())) {
                pass.backward(gradients(pass.scores(), micro, rowWeights, firstEpoch, tally));
            }
        }
    }

    private TokenGradients gradients(
            TokenScores scores, GroupExperience micro, double[] rowWeights, boolean firstEpoch, GroupTally tally) {
        if (firstEpoch) {
            tally.addEntropy(Ragged.sum(scores.entropies()), Ragged.count(scores.entropies()));
        }
        if (tally.updates() == 0) {
            tally.onPolicyError(rollouts.requireOnPolicy(scores.logProbs(), micro.logProbs()));
        }
        PolicyLossResult loss =
                algorithm.loss().evaluate(scores.logProbs(), micro.logProbs(), micro.advantages(), rowWeights);
        tally.addPolicy(requireFinite(loss.loss()), loss.statistics());
        return kl.addTo(new TokenGradients(loss.gradient()), scores, micro.referenceLogProbs(), rowWeights, tally);
    }

    private static double requireFinite(double loss) {
        if (!Double.isFinite(loss)) {
            throw new DivergenceException(
                    "a loss is " + loss + ": the run has diverged. Go back to the last checkpoint and"
                            + " lower the learning rate; group/gradient_norm and group/approx_kl of the steps before show where"
                            + " it began");
        }
        return loss;
    }
}
