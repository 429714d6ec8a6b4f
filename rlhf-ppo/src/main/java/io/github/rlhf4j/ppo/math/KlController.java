package io.github.rlhf4j.ppo.math;

/**
 * How the KL coefficient β follows the KL that is observed. A controller is a pure function; its only state is the
 * coefficient, which the trainer holds and saves.
 */
public sealed interface KlController {

    /**
     * Least share of its first value that a coefficient which moves may fall to. A coefficient of 0 would stay at 0 whatever
     * the KL does later; from here, doublings bring it back in twenty rollouts.
     */
    double LEAST_SHARE = 1e-6;

    /** β of the first iteration, ≥ 0. */
    double initialCoefficient();

    /** What {@code observedKl} is counted per. */
    KlUnit unit();

    /**
     * β of the next iteration.
     *
     * @param coefficient β of this one
     * @param observedKl the rollout's KL in {@link #unit()}, nats
     * @param sequences number of sequences of the rollout
     */
    double next(double coefficient, double observedKl, long sequences);

    /** β stays. */
    record Fixed(double initialCoefficient) implements KlController {

        public Fixed {
            requirePositive("the KL coefficient", initialCoefficient, true);
        }

        @Override
        public KlUnit unit() {
            return KlUnit.PER_SEQUENCE;
        }

        @Override
        public double next(double coefficient, double observedKl, long sequences) {
            return coefficient;
        }
    }

    /**
     * β ← β·(1 + clip(KL/target − 1, −0.2, 0.2)·n/horizon) (Ziegler et al. 2019, §2.2; the form of their code, in which
     * the gain is per sequence), and at least {@link #LEAST_SHARE} of its first value.
     *
     * @param target the KL to be held, nats per {@code unit}
     * @param horizon sequences over which an error of 100 % would, unclipped, double β; their 10,000
     */
    record Adaptive(double initialCoefficient, double target, double horizon, KlUnit unit) implements KlController {

        private static final double LARGEST_ERROR = 0.2;

        public Adaptive {
            requirePositive("the KL coefficient", initialCoefficient, false);
            requirePositive("the KL target", target, false);
            requirePositive("the horizon of the KL controller", horizon, false);
        }

        /** Ziegler's: 0.2·n/10,000 at most per rollout, KL per sequence. */
        public static Adaptive perSequence(double initialCoefficient, double target) {
            return new Adaptive(initialCoefficient, target, 10_000, KlUnit.PER_SEQUENCE);
        }

        @Override
        public double next(double coefficient, double observedKl, long sequences) {
            double error = Math.min(LARGEST_ERROR, Math.max(-LARGEST_ERROR, observedKl / target - 1));
            return Math.max(LEAST_SHARE * initialCoefficient, coefficient * (1 + error * sequences / horizon));
        }
    }

    /**
     * β doubles above 1.5 times the target and halves below target/1.5 (Schulman et al. 2017, "Proximal policy
     * optimization algorithms", §4), and is at least {@link #LEAST_SHARE} of its first value.
     */
    record HalvingDoubling(double initialCoefficient, double target, KlUnit unit) implements KlController {

        private static final double BAND = 1.5;

        public HalvingDoubling {
            requirePositive("the KL coefficient", initialCoefficient, false);
            requirePositive("the KL target", target, false);
        }

        @Override
        public double next(double coefficient, double observedKl, long sequences) {
            if (observedKl > target * BAND) {
                return coefficient * 2;
            }
            return observedKl < target / BAND
                    ? Math.max(LEAST_SHARE * initialCoefficient, coefficient / 2)
                    : coefficient;
        }
    }

    private static void requirePositive(String what, double value, boolean orZero) {
        if (!(orZero ? value >= 0 : value > 0) || Double.isInfinite(value)) {
            throw new IllegalArgumentException(what + " must be " + (orZero ? "≥ 0" : "> 0") + " and finite, got "
                    + value + (orZero ? "" : "; use KlController.Fixed for a constant or no penalty"));
        }
    }
}
