package io.github.rlhf4j.transformer.kernels;

/** Passes over a row of logits, as drawing a token takes them, at the speed of {@link VectorLoops}. */
public final class LogitRow {

    /** Logits that a pass reads at a time: they stay in the first cache of a core. */
    public static final int BLOCK = 1024;

    private LogitRow() {}

    /** The largest of the finite {@code logits[from, to)}; −∞ of none. */
    public static float max(float[] logits, int from, int to) {
        return VectorLoops.ACTIVE.max(logits, from, to);
    }

    /** Index of the first logit that is infinite or no number, −1 when there is none. */
    public static int indexOfNotFinite(float[] logits) {
        for (int from = 0; from < logits.length; from += BLOCK) {
            int to = Math.min(from + BLOCK, logits.length);
            if (Double.isFinite(VectorLoops.ACTIVE.sum(logits, from, to))) {
                continue; // one that is not finite would show in the sum
            }
            for (int v = from; v < to; v++) {
                if (!Float.isFinite(logits[v])) {
                    return v;
                }
            }
        }
        return -1;
    }

    /**
     * {@code weights[v] = exp((logits[v] − max)/τ)} for v in {@code [from, to)}, each exact to about 2⁻²²; below e^−87 the
     * weight stays there.
     *
     * @param max the largest logit
     * @param temperature τ &gt; 0
     * @return their sum
     */
    public static double weigh(float[] logits, float max, double temperature, float[] weights, int from, int to) {
        float inverse = (float) Math.min(1 / temperature, Float.MAX_VALUE);
        for (int v = from; v < to; v++) {
            weights[v] = (logits[v] - max) * inverse;
        }
        return VectorLoops.ACTIVE.expOfDifference(weights, 0, from, to);
    }
}
