package io.github.rlhf4j.benchmarks.peer;

import java.util.Locale;

/**
 * What a ratio is to be at most.
 *
 * @param most largest ratio, ours over the peer's, that meets it; infinite for no goal
 */
record Goal(double most) {

    static final Goal NONE = new Goal(Double.POSITIVE_INFINITY);

    static Goal atMost(double ratio) {
        return new Goal(ratio);
    }

    boolean exists() {
        return Double.isFinite(most);
    }

    boolean isMetBy(double ratio) {
        return ratio <= most;
    }

    /** Such as {@code ≤ 0.80}; nothing where there is no goal. */
    @Override
    public String toString() {
        return exists() ? String.format(Locale.ROOT, "≤ %.2f", most) : "";
    }
}
