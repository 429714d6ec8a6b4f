package io.github.rlhf4j.ppo.preference.math;

/** A pair loss that sees log-probabilities through the two implicit rewards alone. */
public interface ImplicitRewardLoss extends PairLoss {

    /** The loss and its derivatives with respect to the two rewards. */
    PairTerm ofRewards(double chosen, double rejected);

    /** dloss/dlogProb = dloss/dreward · dreward/dlogProb. */
    @Override
    default PairTerm of(Pair pair) {
        ResponseLogProb chosen = pair.chosen();
        ResponseLogProb rejected = pair.rejected();
        PairTerm term = ofRewards(reward().of(chosen), reward().of(rejected));
        return new PairTerm(
                term.loss(),
                term.dChosen() * reward().perNat(chosen.tokens()),
                term.dRejected() * reward().perNat(rejected.tokens()));
    }
}
