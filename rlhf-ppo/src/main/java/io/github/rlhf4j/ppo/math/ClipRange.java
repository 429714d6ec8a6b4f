package io.github.rlhf4j.ppo.math;

/** Where a ratio may go: [1 − low, 1 + high]. */
final class ClipRange {

    private ClipRange() {}

    static void require(double low, double high) {
        if (!(low > 0 && low < 1)) {
            throw new IllegalArgumentException("the lower clip range must lie in (0, 1), got " + low);
        }
        if (!(high > 0) || Double.isInfinite(high)) {
            throw new IllegalArgumentException("the upper clip range must be > 0 and finite, got " + high);
        }
    }

    static double clip(double ratio, double low, double high) {
        return Math.max(1 - low, Math.min(1 + high, ratio));
    }
}
