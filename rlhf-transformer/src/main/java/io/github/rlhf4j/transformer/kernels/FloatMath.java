package io.github.rlhf4j.transformer.kernels;

/**
 * Float32 exponential, and sums in double, over ranges of arrays.
 *
 * <p>Implementation note. exp: Cody and Waite's reduction (Software Manual for the Elementary Functions, 1980) {@code x =
 * n·ln 2 + r}, |r| ≤ ½ ln 2, ln 2 in two parts, Taylor's polynomial of degree 7 (truncation 8·10⁻⁹ relative), and 2ⁿ by
 * its bits. The polynomial loop is arithmetic only, so that C2 vectorises it; the bits are a second, scalar loop. Relative
 * error below {@value #EXP_ERROR} (two units in the last place are 2.4e-7).
 */
final class FloatMath {

    /** Bound on the relative error of {@link #exp}. */
    static final double EXP_ERROR = 2.4e-7;

    /** Below, {@link #exp} stays at exp(−87.3) = 1.2·10⁻³⁸, the smallest normal float. */
    static final float LOWEST = -87.3f;

    static final float HIGHEST = 88.3f;
    static final float LOG2_E = 1.44269504f;
    static final float LN2_HIGH = 0.693359375f; // nine bits: n·LN2_HIGH is exact
    static final float LN2_LOW = -2.12194440e-4f;

    /** 1.5·2²³: adding it rounds to an integer, which then is in the low bits. */
    static final float ROUNDER = 12582912f;

    static final int ONE_BITS = 0x3f800000;
    static final float C3 = 1 / 6f;
    static final float C4 = 1 / 24f;
    static final float C5 = 1 / 120f;
    static final float C6 = 1 / 720f;
    static final float C7 = 1 / 5040f;

    private FloatMath() {}

    /** {@code out[i] = e^x[i]} for i in {@code [from, to)}; x is clamped to [−87.3, 88.3], NaN stays NaN. */
    static void exp(float[] x, float[] out, int from, int to) {
        if (x == out) {
            throw new IllegalArgumentException("exp cannot run in place: give it another array for the results");
        }
        reducedExp(x, out, from, to);
        timesPowerOfTwo(x, out, from, to);
    }

    private static void reducedExp(float[] x, float[] out, int from, int to) {
        for (int i = from; i < to; i++) {
            float clamped = Math.min(HIGHEST, Math.max(LOWEST, x[i]));
            float n = (clamped * LOG2_E + ROUNDER) - ROUNDER;
            float r = (clamped - n * LN2_HIGH) - n * LN2_LOW;
            out[i] = 1 + r + r * r * (0.5f + r * (C3 + r * (C4 + r * (C5 + r * (C6 + r * C7)))));
        }
    }

    private static void timesPowerOfTwo(float[] x, float[] out, int from, int to) {
        for (int i = from; i < to; i++) {
            float clamped = Math.min(HIGHEST, Math.max(LOWEST, x[i]));
            int n = Float.floatToRawIntBits(clamped * LOG2_E + ROUNDER);
            out[i] *= Float.intBitsToFloat((n << 23) + ONE_BITS);
        }
    }

    /** The largest of {@code x[from..to)}; NaN if one is. */
    static float max(float[] x, int from, int to) {
        float a = Float.NEGATIVE_INFINITY;
        float b = a;
        float c = a;
        float d = a;
        int i = from;
        for (; i + 3 < to; i += 4) {
            a = Math.max(a, x[i]);
            b = Math.max(b, x[i + 1]);
            c = Math.max(c, x[i + 2]);
            d = Math.max(d, x[i + 3]);
        }
        for (; i < to; i++) {
            a = Math.max(a, x[i]);
        }
        return Math.max(Math.max(a, b), Math.max(c, d));
    }

    /** {@code Σ x[i]} for i in {@code [from, to)}, in double, always in the same order. */
    static double sum(float[] x, int from, int to) {
        double a = 0;
        double b = 0;
        double c = 0;
        double d = 0;
        int i = from;
        for (; i + 3 < to; i += 4) {
            a += x[i];
            b += x[i + 1];
            c += x[i + 2];
            d += x[i + 3];
        }
        for (; i < to; i++) {
            a += x[i];
        }
        return (a + b) + (c + d);
    }

    /** {@code Σ x[i]·y[i − from + yFrom]} for i in {@code [from, to)}, in double, always in the same order. */
    static double dot(float[] x, int from, int to, float[] y, int yFrom) {
        double a = 0;
        double b = 0;
        double c = 0;
        double d = 0;
        int shift = yFrom - from;
        int i = from;
        for (; i + 3 < to; i += 4) {
            a += (double) x[i] * y[i + shift];
            b += (double) x[i + 1] * y[i + 1 + shift];
            c += (double) x[i + 2] * y[i + 2 + shift];
            d += (double) x[i + 3] * y[i + 3 + shift];
        }
        for (; i < to; i++) {
            a += (double) x[i] * y[i + shift];
        }
        return (a + b) + (c + d);
    }
}
