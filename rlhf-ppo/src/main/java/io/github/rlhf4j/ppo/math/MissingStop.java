package io.github.rlhf4j.ppo.math;

/** What the score becomes when a response ran out of room without a stop token. */
public sealed interface MissingStop {

    /** The score that counts for an unstopped response, given the reward model's. */
    double apply(double score);

    /** A fixed score, whatever the reward model says (lm-human-preferences: −1). The default. */
    record FixedScore(double score) implements MissingStop {

        public FixedScore {
            requireFinite("the score of an unstopped response", score);
        }

        @Override
        public double apply(double ignored) {
            return score;
        }
    }

    /** Something subtracted from the score (TRL's {@code missing_eos_penalty}). */
    record Penalty(double penalty) implements MissingStop {

        public Penalty {
            requireFinite("the penalty of an unstopped response", penalty);
        }

        @Override
        public double apply(double score) {
            return score - penalty;
        }
    }

    /** The score as it is: for tasks of fixed length. */
    record Keep() implements MissingStop {

        @Override
        public double apply(double score) {
            return score;
        }
    }

    private static void requireFinite(String what, double value) {
        if (!Double.isFinite(value)) {
            throw new IllegalArgumentException(what + " must be finite, got " + value);
        }
    }
}
