package io.github.rlhf4j.transformer.kernels;

/** Symmetric quantisation to a byte. */
final class Int8 {

    static final float LARGEST = 127;

    private Int8() {}

    /** {@code max |w| / 127} over {@code count} weights that lie {@code stride} apart; 0 when all are 0. */
    static float scale(float[] weights, int from, int stride, int count) {
        float largest = 0;
        for (int i = 0; i < count; i++) {
            largest = Math.max(largest, Math.abs(weights[from + i * stride]));
        }
        return largest / LARGEST;
    }

    static byte quantize(float weight, float scale) {
        return scale == 0 ? 0 : (byte) Math.round(Math.max(-LARGEST, Math.min(LARGEST, weight / scale)));
    }

    /** Weights become the nearest values that bytes and their common scale can hold. */
    static void round(float[] weights, int from, int stride, int count) {
        float scale = scale(weights, from, stride, count);
        for (int i = 0; i < count; i++) {
            weights[from + i * stride] = scale * quantize(weights[from + i * stride], scale);
        }
    }
}
