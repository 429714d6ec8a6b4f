package io.github.rlhf4j.transformer.kernels;

/** What a softmax over a row of logits divides by, as a logarithm. */
public final class LogSumExp {

    /** The slot of {@link Scratch} with the row's differences from its maximum. */
    private static final int DIFFERENCES = 0;

    private LogSumExp() {}

    /**
     * {@code log Σ_v exp(logits[v]/τ)}, around the largest term; the exponentials are in float, their sum in double, which
     * is exact to about 1e-7 nats.
     *
     * @param logits {@code [V]}, finite; not changed
     * @param max the largest of them
     * @param temperature τ &gt; 0
     */
    public static double of(float[] logits, float max, double temperature) {
        float[] differences = Scratch.ofThread().take(DIFFERENCES, logits.length);
        float inverse = (float) (1 / temperature);
        for (int v = 0; v < logits.length; v++) {
            differences[v] = (logits[v] - max) * inverse;
        }
        return max / temperature + Math.log(VectorLoops.ACTIVE.expOfDifference(differences, 0, 0, logits.length));
    }
}
