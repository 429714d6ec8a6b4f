package io.github.rlhf4j.ppo.preference.math;

/** The rules that several losses share. */
final class LossChecks {

    private LossChecks() {}

    /** A label noise that still leaves the label more likely right than wrong. */
    static void requireNoise(double noise) {
        if (!(noise >= 0 && noise < 0.5)) {
            throw new IllegalArgumentException("labelNoise is the share of preferences that are the wrong way round, in"
                    + " [0, 0.5); got " + noise + ". At one half nothing can be learned; above it, swap the responses");
        }
    }

    static void requireNotNegative(String name, double value) {
        if (!(value >= 0) || Double.isInfinite(value)) {
            throw new IllegalArgumentException(name + " must be ≥ 0 and finite, got " + value);
        }
    }

    static void require(ImplicitReward reward, ImplicitReward.Reference reference, String loss) {
        if (reward.reference() != reference) {
            throw new IllegalArgumentException(
                    loss + " is defined on a reward whose reference is " + reference + ", got " + reward);
        }
    }
}
