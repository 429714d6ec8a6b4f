package io.github.rlhf4j.ppo.preference.math;

/**
 * The reward that a policy stands for: β·(log π(y|x) − log π_ref(y|x)), which is the reward its KL-regularised optimum
 * π_ref·exp(r/β)/Z belongs to, up to a constant per prompt (Rafailov et al. 2023, "Direct preference optimization"). Variants leave the reference out or take means over tokens.
 *
 * @param beta β &gt; 0, reward units per nat
 * @param reference whether log π_ref is subtracted
 * @param length what a long response's log-probabilities add up to
 */
public record ImplicitReward(double beta, Reference reference, Length length) {

    /** What the log-probabilities are compared with. */
    public enum Reference {
        /** log π_ref is subtracted: DPO and its relatives. */
        SUBTRACTED,
        /** Nothing is: SimPO, CPO, ORPO, SLiC-HF. A reference policy is not needed. */
        NONE
    }

    /** How log-probabilities of tokens become a response's. */
    public enum Length {
        /** Their sum. A long response's reward may be larger for its length alone. */
        SUM,
        /** Their mean: length normalisation. */
        MEAN
    }

    public ImplicitReward {
        if (!(beta > 0) || Double.isInfinite(beta)) {
            throw new IllegalArgumentException("beta of an implicit reward must be > 0 and finite, got " + beta
                    + "; DPO's papers take 0.1 to 0.5, SimPO's 2 to 10");
        }
    }

    /** β·Σ_t (log π − log π_ref): DPO's. */
    public static ImplicitReward logRatio(double beta) {
        return new ImplicitReward(beta, Reference.SUBTRACTED, Length.SUM);
    }

    /** β·mean_t (log π − log π_ref): DPO's with length normalisation. */
    public static ImplicitReward meanLogRatio(double beta) {
        return new ImplicitReward(beta, Reference.SUBTRACTED, Length.MEAN);
    }

    /** β·Σ_t log π: CPO's. */
    public static ImplicitReward logProb(double beta) {
        return new ImplicitReward(beta, Reference.NONE, Length.SUM);
    }

    /** β·mean_t log π: SimPO's. */
    public static ImplicitReward meanLogProb(double beta) {
        return new ImplicitReward(beta, Reference.NONE, Length.MEAN);
    }

    /** Whether there must be a reference policy. */
    public boolean needsReference() {
        return reference == Reference.SUBTRACTED;
    }

    /** The reward of a response. */
    public double of(ResponseLogProb response) {
        double logProb = response.logProb() - (needsReference() ? response.reference() : 0);
        return perNat(response.tokens()) * logProb;
    }

    /** The derivative of a response's reward with respect to the log-prob of any of its tokens: β, or β/T. */
    public double perNat(int tokens) {
        return length == Length.MEAN ? beta / tokens : beta;
    }
}
