package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.TrainablePolicy;
import io.github.rlhf4j.core.random.EpochOrder;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.ppo.internal.LossKl;
import io.github.rlhf4j.ppo.math.ClippedValueLoss;
import io.github.rlhf4j.ppo.math.EntropyBonus;
import io.github.rlhf4j.ppo.math.LanguageModelLoss;
import io.github.rlhf4j.ppo.math.PolicyLossResult;
import io.github.rlhf4j.ppo.math.Ragged;
import io.github.rlhf4j.ppo.math.TokenLoss;
import java.util.Arrays;
import java.util.List;

/** The inner loop: epochs over a rollout, minibatch by minibatch, micro-batch by micro-batch. */
final class PpoUpdater {

    private final PpoConfig config;
    private final TrainablePolicy policy;
    private final Learner learner;
    private final Learner warmupLearner;
    private final LossKl kl;
    private final List<ScoredSequence> pretraining;
    private final Guards guards;
    private final RandomKey minibatchKey;
    private final EpochOrder pretrainingOrder;

    PpoUpdater(
            PpoConfig config,
            TrainablePolicy policy,
            Learner learner,
            LossKl kl,
            List<ScoredSequence> pretraining,
            Guards guards,
            RandomKey key) {
        this.config = config;
        this.policy = policy;
        this.learner = learner;
        this.warmupLearner = config.losses().valueWarmup() > 0 ? learner.valueOnly() : learner;
        this.kl = kl;
        this.pretraining = pretraining;
        this.guards = guards;
        this.minibatchKey = key.child("minibatches");
        this.pretrainingOrder = new EpochOrder(key.child("ptx"), pretraining.size());
    }

    /**
     * Epochs × minibatches of updates on a rollout, fewer when the approximate KL passes its limit.
     *
     * @param rateFactor what the policy's learning rate is multiplied by
     */
    UpdateTally optimise(Experience experience, long iteration, double rateFactor) {
        UpdateTally tally = new UpdateTally();
        boolean warmsUp = config.losses().warmsUp(iteration);
        Learner learning = warmsUp ? warmupLearner : learner;
        for (int epoch = 0; epoch < config.epochs(); epoch++) {
            int[] order = minibatchKey.child(iteration).child(epoch).permutation(experience.size());
            for (int m = 0; m < config.batches().minibatches(); m++) {
                int[] rows = BatchPlan.slice(order, m, config.batches().minibatch());
                accumulate(learning, experience.select(rows), epoch == 0, tally);
                if (!warmsUp) {
                    accumulatePretraining(iteration, tally);
                }
                tally.addUpdate(learning.update(
                        rateFactor * config.policyRate().at(iteration),
                        config.valueRate().at(iteration)));
                if (movedTooFar(tally)) {
                    return tally;
                }
            }
        }
        return tally;
    }

    private boolean movedTooFar(UpdateTally tally) {
        double limit = config.guards().approximateKlLimit();
        return limit > 0 && tally.lastApproximateKl() > limit;
    }

    /** Adds a minibatch's gradients. Each micro-batch takes its rows' weights within the minibatch, so they add up. */
    private void accumulate(Learner learning, Experience minibatch, boolean firstEpoch, UpdateTally tally) {
        double[] weights = config.losses()
                .aggregation()
                .rowWeights(minibatch.lengths(), config.sampling().maxNewTokens());
        for (int[] rows : MicroBatches.rows(minibatch.batch().sequences(), config.microBatchTokens())) {
            Experience micro = minibatch.select(rows);
            double[] rowWeights =
                    Arrays.stream(rows).mapToDouble(row -> weights[row]).toArray();
            learning.accumulate(
                    micro.batch(),
                    scores -> policyGradients(scores, micro, rowWeights, firstEpoch, tally),
                    values -> valueGradients(values, micro, rowWeights, tally));
        }
    }

    private TokenGradients policyGradients(
            TokenScores scores, Experience micro, double[] rowWeights, boolean firstEpoch, UpdateTally tally) {
        if (firstEpoch) {
            tally.addEntropy(Ragged.sum(scores.entropies()), Ragged.count(scores.entropies()));
        }
        if (tally.updates() == 0) {
            tally.onPolicyError(guards.requireOnPolicy(scores.logProbs(), micro.logProbs()));
        }
        LossSettings losses = config.losses();
        PolicyLossResult policyLoss =
                losses.policy().evaluate(scores.logProbs(), micro.logProbs(), micro.advantages(), rowWeights);
        Guards.requireFinite("the policy loss", policyLoss.loss());
        tally.addPolicy(policyLoss.loss(), policyLoss.statistics());
        double[][] dEntropies = null;
        if (losses.entropyCoefficient() > 0) {
            dEntropies = EntropyBonus.evaluate(scores.entropies(), losses.entropyCoefficient(), rowWeights)
                    .gradient();
        }
        TokenGradients gradients = new TokenGradients(policyLoss.gradient(), dEntropies);
        return kl.addTo(gradients, scores, micro.referenceLogProbs(), rowWeights, tally);
    }

    private double[][] valueGradients(double[][] values, Experience micro, double[] rowWeights, UpdateTally tally) {
        LossSettings losses = config.losses();
        ClippedValueLoss.Result result = losses.value().evaluate(values, micro.values(), micro.returns(), rowWeights);
        Guards.requireFinite("the value loss", result.loss());
        tally.addValue(result.loss(), result.bindingCount());
        return Ragged.map(result.gradient(), g -> losses.valueCoefficient() * g);
    }

    /** PPO-ptx: the language-model gradients of pretraining text join those of the minibatch in one update. */
    private void accumulatePretraining(long iteration, UpdateTally tally) {
        LossSettings losses = config.losses();
        if (losses.ptxCoefficient() == 0) {
            return;
        }
        long update = iteration * config.epochs() * config.batches().minibatches() + tally.updates();
        int[] drawn = pretrainingOrder.take(update * losses.ptxSequences(), losses.ptxSequences());
        List<ScoredSequence> texts =
                Arrays.stream(drawn).mapToObj(pretraining::get).toList();
        double weight =
                1.0 / texts.stream().mapToInt(ScoredSequence::scoredCount).sum();
        SequenceBatch batch = new SequenceBatch(texts);
        for (int[] rows : MicroBatches.rows(texts, config.microBatchTokens())) {
            accumulatePretraining(batch.select(rows), weight, tally);
        }
    }

    private void accumulatePretraining(SequenceBatch batch, double weight, UpdateTally tally) {
        double[] rowWeights = new double[batch.size()];
        Arrays.fill(rowWeights, weight);
        try (ForwardPass pass = policy.forward(batch)) {
            TokenLoss loss = LanguageModelLoss.evaluate(pass.scores().logProbs(), rowWeights);
            Guards.requireFinite("the language-model loss on pretraining text", loss.loss());
            tally.addPtx(loss.loss());
            double coefficient = config.losses().ptxCoefficient();
            pass.backward(new TokenGradients(Ragged.map(loss.gradient(), g -> coefficient * g)));
        }
    }
}
