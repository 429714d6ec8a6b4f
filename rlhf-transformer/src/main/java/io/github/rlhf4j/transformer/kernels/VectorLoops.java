package io.github.rlhf4j.transformer.kernels;

/**
 * The innermost loops of the fused kernels, over ranges of {@code float[]} that a core's cache holds. There are two
 * implementations, chosen once: {@code SimdLoops} on the Java Vector API and {@link ScalarLoops} for virtual machines that
 * run without its module. Tests compare them.
 *
 * <p>Ranges are {@code [from, to)}. Sums are added up in double at the end of short stretches, in an order that depends on
 * the length alone.
 */
interface VectorLoops {

    /** The implementation in use. */
    VectorLoops ACTIVE = VectorLoopsChoice.choose();

    /** What to call it in a log. */
    String description();

    /** The largest element; NaN if one is. */
    float max(float[] x, int from, int to);

    /** {@code Σ x[i]}. */
    double sum(float[] x, int from, int to);

    /** {@code Σ x[i]·y[i − from + yFrom]}. */
    double dot(float[] x, int from, int to, float[] y, int yFrom);

    /** {@code out[i] = e^x[i]}, x clamped to [−87.3, 88.3], NaN stays NaN; the arrays differ. */
    void exp(float[] x, float[] out, int from, int to);

    /**
     * {@code x[i] = e^(x[i] − max)}.
     *
     * @return Σ of the results
     */
    double expOfDifference(float[] x, float max, int from, int to);

    /** {@code x[i] = x[i]·factor}. */
    void scale(float[] x, float factor, int from, int to);

    /** {@code out[at + i] = scales[i]·q[i]}, i below {@code length}. */
    void scaleBytes(byte[] q, float[] scales, float[] out, int at, int length);

    /** {@code g[i] = w[i]·(g[i] − mean)}: back through a softmax whose result is w. */
    void softmaxGradient(float[] g, float[] w, float mean, int from, int to);

    /**
     * GELU in its tanh form, {@code out = x·σ(2u)} with {@code u = √(2/π)(x + 0.044715·x³)}, from 0 to {@code length}.
     * Up to 15 elements behind may be overwritten: the arrays are that much longer.
     */
    void gelu(float[] x, float[] out, int length);

    /** {@code d = d·(σ + 2x·σ(1 − σ)·√(2/π)(1 + 3·0.044715·x²))} with {@code σ = σ(2u)}; as {@link #gelu} in its range. */
    void geluGradient(float[] x, float[] d, int length);

    /** {@code out = x·σ(x)}; as {@link #gelu} in its range. */
    void silu(float[] x, float[] out, int length);

    /** {@code d = d·σ·(1 + x·(1 − σ))} with {@code σ = σ(x)}; as {@link #gelu} in its range. */
    void siluGradient(float[] x, float[] d, int length);

    /**
     * {@code sum[at + j] += Σ_i weights[first + i]·rows[from + i·width + j]}, i from 0 to {@code count}, in this order, j
     * from 0 to {@code width}, a multiple of 16.
     */
    void addWeightedRows(float[] weights, int first, int count, float[] rows, int from, int width, float[] sum, int at);
}
