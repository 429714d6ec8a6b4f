package io.github.rlhf4j.transformer.kernels;

/** Loops in plain Java, most of which the compiler of the virtual machine turns into vector instructions. */
final class ScalarLoops implements VectorLoops {

    @Override
    public String description() {
        return "plain Java";
    }

    @Override
    public float max(float[] x, int from, int to) {
        return FloatMath.max(x, from, to);
    }

    @Override
    public double sum(float[] x, int from, int to) {
        return FloatMath.sum(x, from, to);
    }

    @Override
    public double dot(float[] x, int from, int to, float[] y, int yFrom) {
        return FloatMath.dot(x, from, to, y, yFrom);
    }

    @Override
    public void exp(float[] x, float[] out, int from, int to) {
        FloatMath.exp(x, out, from, to);
    }

    @Override
    public double expOfDifference(float[] x, float max, int from, int to) {
        float[] shifted = Scratch.ofThread().take(Scratch.MATH, to);
        for (int i = from; i < to; i++) {
            shifted[i] = x[i] - max;
        }
        FloatMath.exp(shifted, x, from, to);
        return FloatMath.sum(x, from, to);
    }

    @Override
    public void scale(float[] x, float factor, int from, int to) {
        for (int i = from; i < to; i++) {
            x[i] *= factor;
        }
    }

    @Override
    public void softmaxGradient(float[] g, float[] w, float mean, int from, int to) {
        for (int i = from; i < to; i++) {
            g[i] = w[i] * (g[i] - mean);
        }
    }

    @Override
    public void gelu(float[] x, float[] out, int length) {
        sigmoid(x, out, length);
        for (int i = 0; i < length; i++) {
            out[i] *= x[i];
        }
    }

    @Override
    public void geluGradient(float[] x, float[] d, int length) {
        float[] sigma = Scratch.ofThread().take(Scratch.MATH_RESULT, length);
        sigmoid(x, sigma, length);
        for (int i = 0; i < length; i++) {
            float slope = GeluConstants.TWICE_SCALE * (1 + 3 * GeluConstants.CUBIC * x[i] * x[i]);
            d[i] *= sigma[i] * (1 + x[i] * (1 - sigma[i]) * slope);
        }
    }

    @Override
    public void silu(float[] x, float[] out, int length) {
        float[] minusX = Scratch.ofThread().take(Scratch.MATH, length);
        negate(x, minusX, length);
        sigmoidOfNegative(minusX, out, length);
        for (int i = 0; i < length; i++) {
            out[i] *= x[i];
        }
    }

    @Override
    public void siluGradient(float[] x, float[] d, int length) {
        float[] sigma = Scratch.ofThread().take(Scratch.MATH_RESULT, length);
        float[] minusX = Scratch.ofThread().take(Scratch.MATH, length);
        negate(x, minusX, length);
        sigmoidOfNegative(minusX, sigma, length);
        for (int i = 0; i < length; i++) {
            d[i] *= sigma[i] * (1 + x[i] * (1 - sigma[i]));
        }
    }

    private static void negate(float[] x, float[] minusX, int length) {
        for (int i = 0; i < length; i++) {
            minusX[i] = -x[i];
        }
    }

    /** {@code out = σ(2u)}. */
    private static void sigmoid(float[] x, float[] out, int length) {
        float[] minusTwiceU = Scratch.ofThread().take(Scratch.MATH, length);
        for (int i = 0; i < length; i++) {
            minusTwiceU[i] = -GeluConstants.TWICE_SCALE * x[i] * (1 + GeluConstants.CUBIC * x[i] * x[i]);
        }
        sigmoidOfNegative(minusTwiceU, out, length);
    }

    /** {@code out = σ(−x)}. */
    private static void sigmoidOfNegative(float[] x, float[] out, int length) {
        FloatMath.exp(x, out, 0, length);
        for (int i = 0; i < length; i++) {
            out[i] = 1 / (1 + out[i]);
        }
    }

    @Override
    public void scaleBytes(byte[] q, float[] scales, float[] out, int at, int length) {
        scaleBytes(q, scales, out, at, 0, length);
    }

    static void scaleBytes(byte[] q, float[] scales, float[] out, int at, int from, int to) {
        for (int i = from; i < to; i++) {
            out[at + i] = scales[i] * q[i];
        }
    }

    @Override
    public void addWeightedRows(
            float[] weights, int first, int count, float[] rows, int from, int width, float[] sum, int at) {
        for (int i = 0; i < count; i++) {
            float weight = weights[first + i];
            int row = from + i * width;
            for (int j = 0; j < width; j++) {
                sum[at + j] += weight * rows[row + j];
            }
        }
    }
}
