package io.github.rlhf4j.ppo.preference.math;

import io.github.rlhf4j.ppo.math.Ragged;
import java.util.Arrays;

/** A loss of pairs: one response was preferred to another. */
public non-sealed interface PairLoss extends PreferenceLoss {

    /** Loss of one pair, and its derivative with respect to the log-prob of any token of either response. */
    PairTerm of(Pair pair);

    /**
     * The loss with rewards counted from their mean over a run, which trainers keep. By default the loss itself, for most see
     * rewards through their difference, or mean to move each by itself.
     *
     * @param rewardMean mean implicit reward of the responses learned from so far, chosen and rejected, reward units
     */
    default PairLoss countingFrom(double rewardMean) {
        return this;
    }

    /** The mean over a batch. */
    default PairResult evaluate(PairBatch batch) {
        return evaluate(batch, 1.0 / batch.size());
    }

    /**
     * A weighted sum over a batch. With 1/(pairs of the whole minibatch) as weight, the losses and gradients of
     * micro-batches add up to those of the minibatch, however it is split.
     *
     * @param weight of each pair
     */
    default PairResult evaluate(PairBatch batch, double weight) {
        double loss = 0;
        double[][] dChosen = Ragged.zerosLike(batch.chosen());
        double[][] dRejected = Ragged.zerosLike(batch.rejected());
        PreferenceStatistics statistics = PreferenceStatistics.NONE;
        for (int i = 0; i < batch.size(); i++) {
            Pair pair = batch.pair(i);
            PairTerm term = of(pair);
            loss += weight * term.loss();
            Arrays.fill(dChosen[i], weight * term.dChosen());
            Arrays.fill(dRejected[i], weight * term.dRejected());
            statistics = statistics.plus(PreferenceStatistics.ofPair(pair, reward()));
        }
        return new PairResult(loss, dChosen, dRejected, statistics);
    }
}
