package io.github.rlhf4j.transformer.kernels;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Kernels for the CPU backend in float32: products by BLAS through ND4J, everything else as fused loops over {@code
 * float[]} blocks that fit a core's cache, on several threads. Equal to {@link Nd4jKernels} up to rounding; the number of
 * threads does not change a bit of what these loops compute.
 *
 * <p>Implementation note. An ND4J operation costs 30–100 µs before it does anything, then passes over memory once, and a
 * LayerNorm is eight of them. The inner loops that the virtual machine's compiler does not vectorise by itself (sums,
 * exponentials) are {@link VectorLoops}; the others are small static methods over array ranges, without branches.
 */
public final class FusedKernels implements Kernels {

    private final FusedNorm layerNorm = new FusedNorm(true);
    private final FusedNorm rmsNorm = new FusedNorm(false);
    private final FusedAttention attention = new FusedAttention();

    @Override
    public void linear(INDArray in, INDArray weight, @Nullable INDArray bias, INDArray out) {
        if (bias == null) {
            Products.run(Products.product(in, weight, out, 1, 0));
            return;
        }
        float[] row = FusedRows.hold(Scratch.HELD, bias);
        Products.run(Products.product(
                in,
                weight,
                out,
                1,
                1,
                (first, rows, column, columns) -> FusedRows.fill(out, first, rows, column, columns, row)));
    }

    @Override
    public void addLinear(INDArray in, INDArray weight, @Nullable INDArray bias, INDArray sum) {
        if (bias == null) {
            Products.run(Products.product(in, weight, sum, 1, 1));
            return;
        }
        float[] row = FusedRows.hold(Scratch.HELD, bias);
        Products.run(Products.product(
                in,
                weight,
                sum,
                1,
                1,
                (first, rows, column, columns) -> FusedRows.addToEach(sum, first, rows, column, columns, row)));
    }

    @Override
    public void linearBackward(
            INDArray dOut,
            INDArray in,
            INDArray weight,
            INDArray dIn,
            @Nullable INDArray dWeight,
            @Nullable INDArray dBias,
            Arena arena) {
        if (dBias != null) {
            ColumnSums.add(dOut, dBias);
        }
        List<Runnable> tasks = new ArrayList<>(Products.productWithTransposed(dOut, weight, dIn, 1, 0));
        if (dWeight != null) {
            tasks.addAll(Products.productOfTransposed(in, dOut, dWeight, 1, 1));
        }
        Products.run(tasks);
    }

    @Override
    public void linear(INDArray in, Int8Matrix weight, @Nullable INDArray bias, INDArray out, Arena arena) {
        if (bias == null) {
            FusedInt8.product(in, weight, out, 0, (first, rows, column, columns) -> {});
            return;
        }
        float[] row = FusedRows.hold(Scratch.HELD, bias);
        FusedInt8.product(
                in,
                weight,
                out,
                1,
                (first, rows, column, columns) -> FusedRows.fill(out, first, rows, column, columns, row));
    }

    @Override
    public void addLinear(INDArray in, Int8Matrix weight, @Nullable INDArray bias, INDArray sum, Arena arena) {
        if (bias == null) {
            FusedInt8.product(in, weight, sum, 1, (first, rows, column, columns) -> {});
            return;
        }
        float[] row = FusedRows.hold(Scratch.HELD, bias);
        FusedInt8.product(
                in,
                weight,
                sum,
                1,
                (first, rows, column, columns) -> FusedRows.addToEach(sum, first, rows, column, columns, row));
    }

    @Override
    public void linearBackward(INDArray dOut, Int8Matrix weight, INDArray dIn, Arena arena) {
        FusedInt8.productWithTransposed(dOut, weight, dIn);
    }

    @Override
    public void layerNorm(
            INDArray in,
            INDArray gain,
            @Nullable INDArray bias,
            double epsilon,
            INDArray normalized,
            INDArray inverseDeviation,
            INDArray out,
            Arena arena) {
        layerNorm.forward(in, gain, bias, epsilon, normalized, inverseDeviation, out);
    }

    @Override
    public void rmsNorm(
            INDArray in,
            INDArray gain,
            double epsilon,
            INDArray normalized,
            INDArray inverseDeviation,
            INDArray out,
            Arena arena) {
        rmsNorm.forward(in, gain, null, epsilon, normalized, inverseDeviation, out);
    }

    @Override
    public void layerNormBackward(
            INDArray dOut,
            INDArray gain,
            INDArray normalized,
            INDArray inverseDeviation,
            INDArray dIn,
            @Nullable INDArray dGain,
            @Nullable INDArray dBias,
            Arena arena) {
        layerNorm.backward(dOut, gain, normalized, inverseDeviation, dIn, dGain, dBias);
    }

    @Override
    public void rmsNormBackward(
            INDArray dOut,
            INDArray gain,
            INDArray normalized,
            INDArray inverseDeviation,
            INDArray dIn,
            @Nullable INDArray dGain,
            Arena arena) {
        rmsNorm.backward(dOut, gain, normalized, inverseDeviation, dIn, dGain, null);
    }

    @Override
    public void scaleAndShift(INDArray normalized, INDArray gain, @Nullable INDArray bias, INDArray out) {
        FusedNorm.scaleAndShift(normalized, gain, bias, out);
    }

    @Override
    public void multiplyRows(INDArray in, RowFactors factors, INDArray out, Arena arena) {
        FusedRows.multiply(in, factors, out);
    }

    @Override
    public void gelu(INDArray in, INDArray out, Arena arena) {
        FusedGelu.forward(in, out);
    }

    @Override
    public void geluBackward(INDArray dOut, INDArray in, INDArray dIn, Arena arena) {
        FusedGelu.backward(dOut, in, dIn);
    }

    @Override
    public void gated(Gate gate, INDArray in, INDArray out, Arena arena) {
        FusedGate.forward(gate, in, out);
    }

    @Override
    public void gatedBackward(Gate gate, INDArray dOut, INDArray in, INDArray dIn, Arena arena) {
        FusedGate.backward(gate, dOut, in, dIn);
    }

    @Override
    public void embed(
            int[] tokens,
            int[] positions,
            INDArray tokenTable,
            @Nullable INDArray positionTable,
            INDArray out,
            Arena arena) {
        FusedRows.embed(tokens, positions, tokenTable, positionTable, out);
    }

    @Override
    public void embedBackward(
            INDArray dOut,
            int[] tokens,
            int[] positions,
            INDArray dTokenTable,
            @Nullable INDArray dPositionTable,
            Arena arena) {
        FusedRows.scatterAdd(dOut, tokens, dTokenTable);
        if (dPositionTable != null) {
            FusedRows.scatterAdd(dOut, positions, dPositionTable);
        }
    }

    @Override
    public void rotate(AttentionShape shape, INDArray qkv, int[] positions, RotaryAngles angles, Arena arena) {
        FusedRotary.rotate(shape, qkv, positions, angles, 1);
    }

    @Override
    public void rotateBackward(AttentionShape shape, INDArray dQkv, int[] positions, RotaryAngles angles, Arena arena) {
        FusedRotary.rotate(shape, dQkv, positions, angles, -1);
    }

    @Override
    public void attention(PackedTokens packed, AttentionShape shape, INDArray qkv, INDArray out, Arena arena) {
        attention.forward(packed, shape, qkv, out);
    }

    @Override
    public void attentionBackward(
            PackedTokens packed, AttentionShape shape, INDArray dOut, INDArray qkv, INDArray dQkv, Arena arena) {
        attention.backward(packed, shape, dOut, qkv, dQkv);
    }

    @Override
    public KeyValueCache keyValueCache(AttentionShape shape, DataType dataType) {
        return new FusedKeyValueCache(shape);
    }

    @Override
    public void multiplyByTransposed(INDArray in, INDArray table, INDArray out) {
        Products.run(Products.productWithTransposed(in, table, out, 1, 0));
    }

    @Override
    public PackedLinear pack(INDArray weight, @Nullable INDArray bias, WeightFormat format) {
        PanelLoops loops = PanelLoops.ACTIVE;
        return loops == null
                ? new UnpackedLinear(this, weight, false, bias, format)
                : packed(loops, WeightSource.of(weight, false), bias, format);
    }

    @Override
    public PackedLinear packTransposed(INDArray table, WeightFormat format) {
        PanelLoops loops = PanelLoops.ACTIVE;
        return loops == null
                ? new UnpackedLinear(this, table, true, null, format)
                : packed(loops, WeightSource.of(table, true), null, format);
    }

    @Override
    public PackedLinear pack(Int8Matrix weight, @Nullable INDArray bias) {
        PanelLoops loops = PanelLoops.ACTIVE;
        return loops == null
                ? new UnpackedInt8(this, weight, bias)
                : new BytePanels(loops, WeightSource.of(weight), bias);
    }

    private static PackedLinear packed(
            PanelLoops loops, WeightSource source, @Nullable INDArray bias, WeightFormat format) {
        return format == WeightFormat.INT8 ? new BytePanels(loops, source, bias) : new FloatPanels(loops, source, bias);
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
    public void copyColumns(INDArray from, int first, INDArray into) {
        FusedColumns.copy(from, first, into);
    }

    @Override
    public void addColumns(INDArray from, INDArray into, int first) {
        FusedColumns.add(from, into, first);
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
