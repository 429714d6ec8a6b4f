package io.github.rlhf4j.transformer.kernels;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** LayerNorm, or RMSNorm, in one pass over the rows each way; means and variances in double. */
final class FusedNorm {

    private final boolean centered;

    /** @param centered whether the mean is subtracted: LayerNorm, otherwise RMSNorm */
    FusedNorm(boolean centered) {
        this.centered = centered;
    }

    void forward(
            INDArray in,
            INDArray gain,
            @Nullable INDArray bias,
            double epsilon,
            INDArray normalized,
            INDArray inverseDeviation,
            INDArray out) {
        int width = (int) in.size(1);
        float[] gains = FusedRows.hold(Scratch.HELD, gain);
        float[] biases = FusedRows.holdOrZeros(Scratch.HELD + 1, bias, width);
        Blocks.rows((int) in.size(0), width, (from, to) -> {
            int length = (to - from) * width;
            Scratch scratch = Scratch.ofThread();
            float[] x = scratch.take(0, length);
            float[] n = scratch.take(1, length);
            float[] inverse = scratch.take(2, to - from);
            HostMemory.read(in, (long) from * width, x, 0, length);
            for (int row = 0; row < to - from; row++) {
                int at = row * width;
                inverse[row] = normalize(x, n, at, width, epsilon);
                scaleAndShift(n, at, gains, biases, x, width);
            }
            HostMemory.write(normalized, (long) from * width, n, 0, length);
            HostMemory.write(inverseDeviation, from, inverse, 0, to - from);
            HostMemory.write(out, (long) from * width, x, 0, length);
        });
    }

    /** {@code n = (x − mean)·inverseDeviation}; returns inverseDeviation. */
    private float normalize(float[] x, float[] n, int at, int width, double epsilon) {
        float mean = centered ? mean(x, at, width) : 0;
        for (int i = at; i < at + width; i++) {
            n[i] = x[i] - mean;
        }
        double variance = VectorLoops.ACTIVE.dot(n, at, at + width, n, at) / width;
        float inverse = (float) (1 / Math.sqrt(variance + epsilon));
        for (int i = at; i < at + width; i++) {
            n[i] *= inverse;
        }
        return inverse;
    }

    private static float mean(float[] x, int at, int width) {
        return (float) (VectorLoops.ACTIVE.sum(x, at, at + width) / width);
    }

    private static void scaleAndShift(float[] n, int at, float[] gain, float[] bias, float[] out, int width) {
        for (int i = 0; i < width; i++) {
            out[at + i] = n[at + i] * gain[i] + bias[i];
        }
    }

    /** {@code out = normalized·gain + bias}. */
    static void scaleAndShift(INDArray normalized, INDArray gain, @Nullable INDArray bias, INDArray out) {
        int width = (int) normalized.size(1);
        float[] gains = FusedRows.hold(Scratch.HELD, gain);
        float[] biases = FusedRows.holdOrZeros(Scratch.HELD + 1, bias, width);
        Blocks.rows((int) normalized.size(0), width, (from, to) -> {
            int length = (to - from) * width;
            float[] n = Scratch.ofThread().take(0, length);
            HostMemory.read(normalized, (long) from * width, n, 0, length);
            for (int row = 0; row < to - from; row++) {
                scaleAndShift(n, row * width, gains, biases, n, width);
            }
            HostMemory.write(out, (long) from * width, n, 0, length);
        });
    }

    /** Mirrors {@link #forward}. */
    void backward(
            INDArray dOut,
            INDArray gain,
            INDArray normalized,
            INDArray inverseDeviation,
            INDArray dIn,
            @Nullable INDArray dGain,
            @Nullable INDArray dBias) {
        int rows = (int) dOut.size(0);
        int width = (int) dOut.size(1);
        float[] gains = FusedRows.hold(Scratch.HELD, gain);
        int partitions = Blocks.partitions(rows, width);
        ColumnSums gainSums = new ColumnSums(Scratch.HELD + 1, partitions, width);
        ColumnSums biasSums = new ColumnSums(Scratch.HELD + 2, partitions, width);
        int perBlock = Math.max(1, Blocks.FLOATS / width);
        Parallel.partitions(
                rows,
                partitions,
                (p, first, last) -> Blocks.walk(first, last, perBlock, (from, to) -> {
                    int length = (to - from) * width;
                    Scratch scratch = Scratch.ofThread();
                    float[] d = scratch.take(0, length);
                    float[] n = scratch.take(1, length);
                    float[] inverse = scratch.take(2, to - from);
                    HostMemory.read(dOut, (long) from * width, d, 0, length);
                    HostMemory.read(normalized, (long) from * width, n, 0, length);
                    HostMemory.read(inverseDeviation, from, inverse, 0, to - from);
                    for (int row = 0; row < to - from; row++) {
                        int at = row * width;
                        addGradients(d, n, at, gainSums, biasSums, p, width);
                        rowBackward(d, n, at, gains, inverse[row], width);
                    }
                    HostMemory.read(dIn, (long) from * width, n, 0, length);
                    ColumnSums.addInto(d, 0, n, 0, length);
                    HostMemory.write(dIn, (long) from * width, n, 0, length);
                }));
        if (dGain != null) {
            gainSums.addTo(dGain);
        }
        if (dBias != null) {
            biasSums.addTo(dBias);
        }
    }

    private static void addGradients(
            float[] d, float[] n, int at, ColumnSums dGain, ColumnSums dBias, int partition, int width) {
        ColumnSums.addInto(d, at, dBias.all(), dBias.at(partition), width);
        addProducts(d, n, at, dGain.all(), dGain.at(partition), width);
    }

    private static void addProducts(float[] d, float[] n, int at, float[] sums, int sumsAt, int width) {
        for (int i = 0; i < width; i++) {
            sums[sumsAt + i] += d[at + i] * n[at + i];
        }
    }

    /** In place, with {@code g = d·gain}: {@code d = inverse·(g − mean(g) − n·mean(g·n))}; mean(g) counts if centered. */
    private void rowBackward(float[] d, float[] n, int at, float[] gain, float inverse, int width) {
        for (int i = 0; i < width; i++) {
            d[at + i] *= gain[i];
        }
        float mean = centered ? mean(d, at, width) : 0;
        float along = (float) (VectorLoops.ACTIVE.dot(d, at, at + width, n, at) / width);
        for (int i = at; i < at + width; i++) {
            d[i] = inverse * (d[i] - mean - n[i] * along);
        }
    }
}
