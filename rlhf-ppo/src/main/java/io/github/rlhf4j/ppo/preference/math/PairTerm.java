package io.github.rlhf4j.ppo.preference.math;

/**
 * Loss of one pair.
 *
 * @param loss to be minimised
 * @param dChosen its derivative with respect to a number that belongs to the chosen response: the log-prob of any of its
 *     tokens ({@link PairLoss#of}) or its reward ({@link ImplicitRewardLoss#ofRewards})
 * @param dRejected likewise for the rejected response
 */
public record PairTerm(double loss, double dChosen, double dRejected) {

    /** The term of a loss that sees rewards through their difference δ alone. */
    static PairTerm ofDifference(double loss, double dDifference) {
        return new PairTerm(loss, dDifference, -dDifference);
    }
}
