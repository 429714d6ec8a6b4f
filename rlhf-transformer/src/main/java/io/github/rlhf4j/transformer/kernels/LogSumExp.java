package io.github.rlhf4j.transformer.kernels;

/** What a softmax over a row of logits divides by, as a logarithm. */
public final class LogSumExp {

    /** The slot of {@link Scratch} with the row's weights. */
    private static final int WEIGHTS = 0;

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
        float[] weights = Scratch.ofThread().take(WEIGHTS, logits.length);
        double sum = LogitRow.weigh(logits, max, temperature, weights, 0, logits.length);
        return max / temperature + Math.log(sum);
    }
}
