package io.github.rlhf4j.ppo.preference.math;

import io.github.rlhf4j.core.math.Logistic;
import io.github.rlhf4j.ppo.math.Ragged;
import java.util.Arrays;

/**
 * Kahneman–Tversky optimisation (Ethayarajh et al. 2024, arXiv 2402.01306): responses are judged one at a
 * time, desirable or not, and no pairs are needed.
 *
 * <pre>{@code
 * loss = λ_D·(1 − σ(r(y) − β·z))   for a desirable response
 * loss = λ_U·(1 − σ(β·z − r(y)))   for an undesirable one
 * }</pre>
 *
 * z is the point that gains and losses are counted from: an estimate of KL(π‖π_ref), which has no gradient ({@link
 * #anchor}).
 *
 * @param reward the implicit reward, with a reference
 * @param desirableWeight λ_D &gt; 0; 1 by default
 * @param undesirableWeight λ_U &gt; 0; 1 by default. The paper keeps λ_D·n_D/(λ_U·n_U) within [1, 4/3] where the counts
 *     differ
 */
public record KtoLoss(ImplicitReward reward, double desirableWeight, double undesirableWeight)
        implements PreferenceLoss {

    /**
     * Loss of one response.
     *
     * @param loss in [0, its weight]
     * @param dLogProb its derivative with respect to the log-prob of any token
     */
    public record Term(double loss, double dLogProb) {}

    /**
     * Loss of a batch.
     *
     * @param loss weighted sum over responses
     * @param gradient dLoss/dlogProb, {@code [response][token]}
     * @param statistics rewards and log-probs of both kinds
     */
    public record Result(double loss, double[][] gradient, PreferenceStatistics statistics) {}

    public KtoLoss {
        LossChecks.require(reward, ImplicitReward.Reference.SUBTRACTED, "KTO");
        requireWeight("desirableWeight", desirableWeight);
        requireWeight("undesirableWeight", undesirableWeight);
    }

    /** The paper's, with equal weights. */
    public KtoLoss(double beta) {
        this(ImplicitReward.logRatio(beta), 1, 1);
    }

    public KtoLoss withWeights(double desirable, double undesirable) {
        return new KtoLoss(reward, desirable, undesirable);
    }

    private static void requireWeight(String name, double weight) {
        if (!(weight > 0) || Double.isInfinite(weight)) {
            throw new IllegalArgumentException(name + " of KTO must be > 0 and finite, got " + weight);
        }
    }

    /**
     * z: the mean log-ratio of responses to prompts they do not belong to, at least 0 (an estimate of KL(π‖π_ref)
     * whose bias does not matter).
     *
     * @param logProbs log π(y' | x) of each mismatched response, summed over its tokens, nats; at least one
     * @param reference log π_ref(y' | x), likewise
     * @return nats, ≥ 0
     */
    public static double anchor(double[] logProbs, double[] reference) {
        if (logProbs.length == 0 || logProbs.length != reference.length) {
            throw new IllegalArgumentException("KTO's anchor needs log-probs of at least one mismatched response under"
                    + " both policies, got " + logProbs.length + " and " + reference.length);
        }
        return Math.max(0, (Ragged.sum(logProbs) - Ragged.sum(reference)) / logProbs.length);
    }

    /**
     * Loss of one response.
     *
     * @param anchor z, nats, ≥ 0
     */
    public Term of(ResponseLogProb response, boolean desirable, double anchor) {
        double gain = reward.of(response) - reward.beta() * anchor;
        double perNat = reward.perNat(response.tokens());
        double slope = perNat * Logistic.sigmoidSlope(gain);
        return desirable
                ? new Term(desirableWeight * Logistic.sigmoid(-gain), -desirableWeight * slope)
                : new Term(undesirableWeight * Logistic.sigmoid(gain), undesirableWeight * slope);
    }

    /**
     * A weighted sum over a batch; micro-batches of a minibatch add up when they share weight and anchor.
     *
     * @param logProbs log π of each token, {@code [response][token]}, nats
     * @param reference log π_ref of each response, summed over its tokens, nats
     * @param desirable of each response
     * @param anchor z, nats, ≥ 0
     * @param weight of each response: 1/(responses of the minibatch) for its mean
     */
    public Result evaluate(double[][] logProbs, double[] reference, boolean[] desirable, double anchor, double weight) {
        if (reference.length != logProbs.length || desirable.length != logProbs.length) {
            throw new IllegalArgumentException("KTO needs a reference log-prob and a judgement of each response, got "
                    + logProbs.length + " responses, " + reference.length + " log-probs and " + desirable.length
                    + " judgements");
        }
        double loss = 0;
        double[][] gradient = Ragged.zerosLike(logProbs);
        PreferenceStatistics statistics = PreferenceStatistics.NONE;
        for (int i = 0; i < logProbs.length; i++) {
            ResponseLogProb response = new ResponseLogProb(Ragged.sum(logProbs[i]), reference[i], logProbs[i].length);
            Term term = of(response, desirable[i], anchor);
            loss += weight * term.loss();
            Arrays.fill(gradient[i], weight * term.dLogProb());
            statistics = statistics.plus(PreferenceStatistics.ofJudged(response, desirable[i], reward));
        }
        return new Result(loss, gradient, statistics);
    }
}
