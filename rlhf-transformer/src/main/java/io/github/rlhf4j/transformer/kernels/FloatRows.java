package io.github.rlhf4j.transformer.kernels;

/**
 * The inner loops of attention, over the columns {@code [from, to)} of rows that are arrays of their own.
 *
 * <p>Implementation note. The compiler of the virtual machine (C2 of Java 17) turns a loop into vector instructions only
 * if it stores to one array, adds nothing up across its iterations and uses the same index for every array: an offset
 * into one of them (a matrix in one array) costs a factor of 3 to 5. That is why rows are arrays, and why attention is
 * written as sums of rows and never as dot products. Four rows in one pass are the most that it still vectorises; eight
 * are four times slower.
 */
final class FloatRows {

    /** Rows that callers add up together; a multiple of 4. */
    static final int GROUP = 8;

    private FloatRows() {}

    /** {@code sum += Σ_j coefficients[first + j]·rows[first + j]}, j from 0 to {@code count}. */
    static void addCombination(
            float[] sum, float[][] rows, float[] coefficients, int first, int count, int from, int to) {
        int j = first;
        int end = first + count;
        for (; j + 4 <= end; j += 4) {
            addFour(sum, rows, coefficients, j, from, to);
        }
        for (; j < end; j++) {
            addOne(sum, rows[j], coefficients[j], from, to);
        }
    }

    private static void addFour(float[] sum, float[][] rows, float[] coefficients, int j, int from, int to) {
        float[] r0 = rows[j];
        float[] r1 = rows[j + 1];
        float[] r2 = rows[j + 2];
        float[] r3 = rows[j + 3];
        float c0 = coefficients[j];
        float c1 = coefficients[j + 1];
        float c2 = coefficients[j + 2];
        float c3 = coefficients[j + 3];
        for (int i = from; i < to; i++) {
            sum[i] += c0 * r0[i] + c1 * r1[i] + c2 * r2[i] + c3 * r3[i];
        }
    }

    static void addOne(float[] sum, float[] row, float coefficient, int from, int to) {
        for (int i = from; i < to; i++) {
            sum[i] += coefficient * row[i];
        }
    }

    static void max(float[] largest, float[] row, int from, int to) {
        for (int i = from; i < to; i++) {
            largest[i] = Math.max(largest[i], row[i]);
        }
    }

    /** {@code row −= subtracted}. */
    static void subtract(float[] row, float[] subtracted, int from, int to) {
        for (int i = from; i < to; i++) {
            row[i] -= subtracted[i];
        }
    }

    static void multiply(float[] row, float[] by, int from, int to) {
        for (int i = from; i < to; i++) {
            row[i] *= by[i];
        }
    }

    static void scale(float[] row, float by, int from, int to) {
        for (int i = from; i < to; i++) {
            row[i] *= by;
        }
    }

    static void invert(float[] row, int from, int to) {
        for (int i = from; i < to; i++) {
            row[i] = 1 / row[i];
        }
    }

    /** {@code sum += a∘b}. */
    static void addProduct(float[] sum, float[] a, float[] b, int from, int to) {
        for (int i = from; i < to; i++) {
            sum[i] += a[i] * b[i];
        }
    }

    /** {@code gradient = weights∘(gradient − mean)}: the gradient of a softmax. */
    static void softmaxGradient(float[] gradient, float[] weights, float[] mean, int from, int to) {
        for (int i = from; i < to; i++) {
            gradient[i] = weights[i] * (gradient[i] - mean[i]);
        }
    }

    /** {@code row = exp(row)}. */
    static void exp(float[] row, int from, int to) {
        for (int i = from; i < to; i++) {
            row[i] = exp(row[i]);
        }
    }

    static float exp(float x) {
        float clamped = Math.max(x, -87f);
        float shifted = clamped * 1.44269504f + 12582912f;
        float n = shifted - 12582912f;
        float r = (clamped - n * 0.693359375f) + n * 2.12194440e-4f;
        float p = 1f / 5040;
        p = p * r + 1f / 720;
        p = p * r + 1f / 120;
        p = p * r + 1f / 24;
        p = p * r + 1f / 6;
        p = p * r + 0.5f;
        p = p * r + 1f;
        p = p * r + 1f;
        return p * Float.intBitsToFloat((Float.floatToRawIntBits(shifted) - 0x4B400000 + 127) << 23);
    }

    /** {@code to[j][i] = from[i][j]} for i below {@code rows} and j below {@code columns}. */
    static void transpose(float[][] from, int rows, int columns, float[][] to) {
        int tile = 8;
        for (int i0 = 0; i0 < rows; i0 += tile) {
            int i1 = Math.min(rows, i0 + tile);
            for (int j = 0; j < columns; j++) {
                float[] row = to[j];
                for (int i = i0; i < i1; i++) {
                    row[i] = from[i][j];
                }
            }
        }
    }
}
