package io.github.rlhf4j.transformer.kernels;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Kernels for the CPU backend in float32: products by BLAS through ND4J, everything else as fused loops over {@code
 * float[]} blocks that fit a core's cache, on several threads. Equal to {@link Nd4jKernels} up to rounding; the number of
 * threads does not change a bit of what these loops compute.
 *
 * <p>Implementation note. An ND4J operation costs 30–100 µs before it does anything, then passes over memory once, and a
 * LayerNorm is eight of them. Inner loops are small static methods over array ranges, without branches, which C2
 * vectorises.
 */
public final class FusedKernels implements Kernels {

    private final FusedAttention attention = new FusedAttention();

    /** The bias is laid into {@code out} and the product added to it: one pass less than adding it afterwards. */
    @Override
    public void linear(INDArray in, INDArray weight, INDArray bias, INDArray out) {
        int width = (int) out.size(1);
        float[] row = new float[width];
        HostMemory.read(bias, row);
        int perBlock = Math.max(1, Blocks.FLOATS / width);
        Parallel.rows((int) out.size(0), 4 * perBlock, (first, last) -> {
            int copies = Math.min(perBlock, last - first);
            float[] block = Scratch.ofThread().take(0, copies * width);
            for (int i = 0; i < copies; i++) {
                System.arraycopy(row, 0, block, i * width, width);
            }
            Blocks.walk(
                    first,
                    last,
                    perBlock,
                    (from, to) -> HostMemory.write(out, (long) from * width, block, 0, (to - from) * width));
        });
        Products.byRows(in, weight, out, false, 1, 1);
    }

    @Override
    public void linearBackward(
            INDArray dOut, INDArray in, INDArray weight, INDArray dIn, INDArray dWeight, INDArray dBias, Arena arena) {
        ColumnSums.add(dOut, dBias);
        Parallel.both(
                () -> Nd4j.gemm(in, dOut, dWeight, true, false, 1, 1),
                () -> Nd4j.gemm(dOut, weight, dIn, false, true, 1, 0));
    }

    @Override
    public void layerNorm(
            INDArray in,
            INDArray gain,
            INDArray bias,
            double epsilon,
            INDArray normalized,
            INDArray inverseDeviation,
            INDArray out,
            Arena arena) {
        FusedLayerNorm.forward(in, gain, bias, epsilon, normalized, inverseDeviation, out);
    }

    @Override
    public void layerNormBackward(
            INDArray dOut,
            INDArray gain,
            INDArray normalized,
            INDArray inverseDeviation,
            INDArray dIn,
            INDArray dGain,
            INDArray dBias,
            Arena arena) {
        FusedLayerNorm.backward(dOut, gain, normalized, inverseDeviation, dIn, dGain, dBias);
    }

    @Override
    public void gelu(INDArray in, INDArray tanh, INDArray out) {
        FusedGelu.forward(in, tanh, out);
    }

    @Override
    public void geluBackward(INDArray dOut, INDArray in, INDArray tanh, INDArray dIn, Arena arena) {
        FusedGelu.backward(dOut, in, tanh, dIn);
    }

    @Override
    public void embed(
            int[] tokens, int[] positions, INDArray tokenTable, INDArray positionTable, INDArray out, Arena arena) {
        FusedRows.embed(tokens, positions, tokenTable, positionTable, out);
    }

    @Override
    public void embedBackward(
            INDArray dOut, int[] tokens, int[] positions, INDArray dTokenTable, INDArray dPositionTable, Arena arena) {
        FusedRows.scatterAdd(dOut, tokens, dTokenTable);
        FusedRows.scatterAdd(dOut, positions, dPositionTable);
    }

    @Override
    public void attention(PackedTokens packed, int heads, INDArray qkv, INDArray out, Arena arena) {
        attention.forward(packed, heads, qkv, out, arena);
    }

    @Override
    public void attentionBackward(
            PackedTokens packed, int heads, INDArray dOut, INDArray qkv, INDArray dQkv, Arena arena) {
        attention.backward(packed, heads, dOut, qkv, dQkv, arena);
    }

    @Override
    public KeyValueCache keyValueCache(int sequences, int heads, int headSize, DataType dataType) {
        return new FusedKeyValueCache(sequences, heads, headSize);
    }

    @Override
    public void multiplyByTransposed(INDArray in, INDArray table, INDArray out) {
        Products.byRows(in, table, out, true, 1, 0);
    }

    @Override
    public float[][] toRows(INDArray matrix) {
        int width = (int) matrix.size(1);
        float[][] rows = new float[(int) matrix.size(0)][width];
        for (int i = 0; i < rows.length; i++) {
            HostMemory.read(matrix, (long) i * width, rows[i], 0, width);
        }
        return rows;
    }

    @Override
    public void gatherRows(INDArray from, int[] rows, INDArray into) {
        FusedRows.gather(from, rows, into);
    }

    @Override
    public void scatterAddRows(INDArray from, int[] rows, INDArray into, Arena arena) {
        FusedRows.scatterAdd(from, rows, into);
    }

    @Override
    public void tokenHead(
            INDArray hidden,
            INDArray table,
            int[] targets,
            double temperature,
            TokenHeadOutput out,
            @Nullable TokenHeadGradient gradient,
            Arena arena) {
        FusedTokenHead.run(hidden, table, targets, temperature, out, gradient, arena);
    }

    @Override
    public double norm(INDArray vector) {
        return FusedAdamW.norm(vector);
    }

    @Override
    public void adamW(
            AdamWStep step,
            INDArray values,
            INDArray gradients,
            INDArray firstMoment,
            INDArray secondMoment,
            List<DecayedRange> decayed,
            Arena arena) {
        FusedAdamW.update(step, values, gradients, firstMoment, secondMoment, decayed);
    }
}
