package io.github.rlhf4j.transformer.kernels;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.impl.broadcast.BroadcastAddOp;
import org.nd4j.linalg.api.ops.impl.broadcast.BroadcastMulOp;
import org.nd4j.linalg.api.ops.impl.broadcast.BroadcastSubOp;
import org.nd4j.linalg.api.ops.impl.reduce.floating.Mean;
import org.nd4j.linalg.api.ops.impl.reduce.floating.SquaredNorm;
import org.nd4j.linalg.api.ops.impl.transforms.floating.RSqrt;
import org.nd4j.linalg.api.ops.impl.transforms.floating.Sqrt;
import org.nd4j.linalg.api.ops.impl.transforms.strict.Sigmoid;
import org.nd4j.linalg.api.ops.impl.transforms.strict.Tanh;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Kernels of ND4J operations only, which therefore run on each of its backends. The reference for every other
 * implementation.
 *
 * <p>Implementation note. Products go through {@code Nd4j.gemm} with a 'c'-ordered result, which is BLAS without a copy;
 * {@code mmuli} multiplies into a temporary first. Column sums are products with a row of ones, four times faster than
 * {@code sum(0)}. ND4J's own GELU and layer_norm operations compute something else and are not used (the design's list
 * of faults).
 */
public final class Nd4jKernels implements Kernels {

    private static final double GELU_SCALE = Math.sqrt(2 / Math.PI);
    private static final double GELU_CUBIC = 0.044715;

    /** Rows that are added up together before they are scattered. */
    private static final int SCATTER_ROWS = 512;

    private final Nd4jAttention attention = new Nd4jAttention();
    private final Nd4jTokenHead tokenHead = new Nd4jTokenHead();

    @Override
    public void linear(INDArray in, INDArray weight, @Nullable INDArray bias, INDArray out) {
        Nd4j.gemm(in, weight, out, false, false, 1, 0);
        addRow(out, bias);
    }

    @Override
    public void addLinear(INDArray in, INDArray weight, @Nullable INDArray bias, INDArray sum) {
        Nd4j.gemm(in, weight, sum, false, false, 1, 1);
        addRow(sum, bias);
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
        addColumnSums(dOut, dBias, arena);
        if (dWeight != null) {
            Nd4j.gemm(in, dOut, dWeight, true, false, 1, 1);
        }
        Nd4j.gemm(dOut, weight, dIn, false, true, 1, 0);
    }

    @Override
    public void linear(INDArray in, Int8Matrix weight, @Nullable INDArray bias, INDArray out, Arena arena) {
        Arena.Mark mark = arena.mark();
        linear(in, floats(weight, arena), bias, out);
        arena.release(mark);
    }

    @Override
    public void addLinear(INDArray in, Int8Matrix weight, @Nullable INDArray bias, INDArray sum, Arena arena) {
        Arena.Mark mark = arena.mark();
        addLinear(in, floats(weight, arena), bias, sum);
        arena.release(mark);
    }

    @Override
    public void linearBackward(INDArray dOut, Int8Matrix weight, INDArray dIn, Arena arena) {
        Arena.Mark mark = arena.mark();
        Nd4j.gemm(dOut, floats(weight, arena), dIn, false, true, 1, 0);
        arena.release(mark);
    }

    private static INDArray floats(Int8Matrix weight, Arena arena) {
        INDArray floats = arena.take(weight.rows(), weight.columns());
        weight.copyTo(floats);
        return floats;
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
        Arena.Mark mark = arena.mark();
        INDArray mean = arena.take(in.size(0));
        Nd4j.exec(new Mean(in, mean, false, 1));
        Nd4j.exec(new BroadcastSubOp(in, mean, normalized, 0));
        divideByDeviation(normalized, epsilon, normalized, inverseDeviation);
        scaleAndShift(normalized, gain, bias, out);
        arena.release(mark);
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
        divideByDeviation(in, epsilon, normalized, inverseDeviation);
        scaleAndShift(normalized, gain, null, out);
    }

    private static void divideByDeviation(INDArray in, double epsilon, INDArray normalized, INDArray inverseDeviation) {
        Nd4j.exec(new SquaredNorm(in, inverseDeviation, false, 1));
        inverseDeviation.divi(in.size(1)).addi(epsilon);
        Nd4j.exec(new RSqrt(inverseDeviation, inverseDeviation));
        Nd4j.exec(new BroadcastMulOp(in, inverseDeviation, normalized, 0));
    }

    @Override
    public void scaleAndShift(INDArray normalized, INDArray gain, @Nullable INDArray bias, INDArray out) {
        Nd4j.exec(new BroadcastMulOp(normalized, gain, out, 1));
        addRow(out, bias);
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
        addColumnSums(dOut, dBias, arena); // out = normalized·gain + bias
        normBackward(true, dOut, gain, normalized, inverseDeviation, dIn, dGain, arena);
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
        normBackward(false, dOut, gain, normalized, inverseDeviation, dIn, dGain, arena);
    }

    private static void normBackward(
            boolean centered,
            INDArray dOut,
            INDArray gain,
            INDArray normalized,
            INDArray inverseDeviation,
            INDArray dIn,
            @Nullable INDArray dGain,
            Arena arena) {
        Arena.Mark mark = arena.mark();
        INDArray product = arena.take(dOut.shape());
        INDArray mean = arena.take(dOut.size(0));

        dOut.muli(normalized, product);
        addColumnSums(product, dGain, arena);

        Nd4j.exec(new BroadcastMulOp(product, gain, product, 1)); // g·normalized
        Nd4j.exec(new Mean(product, mean, false, 1));
        Nd4j.exec(new BroadcastMulOp(normalized, mean, product, 0)); // normalized·mean(g·normalized)
        INDArray d = arena.take(dOut.shape());
        Nd4j.exec(new BroadcastMulOp(dOut, gain, d, 1)); // g
        if (centered) {
            Nd4j.exec(new Mean(d, mean, false, 1));
            Nd4j.exec(new BroadcastSubOp(d, mean, d, 0));
        }
        d.subi(product);
        Nd4j.exec(new BroadcastMulOp(d, inverseDeviation, d, 0));
        dIn.addi(d);
        arena.release(mark);
    }

    @Override
    public void gelu(INDArray in, INDArray out, Arena arena) {
        Arena.Mark mark = arena.mark();
        INDArray tanh = geluTanh(in, arena);
        in.muli(tanh, out);
        out.addi(in).muli(0.5); // ½·in·(1 + tanh)
        arena.release(mark);
    }

    private static INDArray geluTanh(INDArray in, Arena arena) {
        INDArray tanh = arena.take(in.shape());
        in.muli(in, tanh);
        tanh.muli(GELU_SCALE * GELU_CUBIC).addi(GELU_SCALE);
        tanh.muli(in); // √(2/π)(in + 0.044715·in³)
        return Nd4j.exec(new Tanh(tanh, tanh));
    }

    @Override
    public void geluBackward(INDArray dOut, INDArray in, INDArray dIn, Arena arena) {
        Arena.Mark mark = arena.mark();
        INDArray tanh = geluTanh(in, arena);
        INDArray slope = arena.take(in.shape());
        tanh.muli(tanh, slope);
        slope.rsubi(1).muli(in); // in·(1 − tanh²)
        in.muli(in, dIn);
        dIn.muli(3 * GELU_SCALE * GELU_CUBIC).addi(GELU_SCALE); // √(2/π)(1 + 3·0.044715·in²)
        dIn.muli(slope).addi(tanh).addi(1).muli(0.5).muli(dOut);
        arena.release(mark);
    }

    @Override
    public void gated(Gate gate, INDArray in, INDArray out, Arena arena) {
        Arena.Mark mark = arena.mark();
        INDArray x = half(in, 0, arena);
        activate(gate, x, out, arena);
        out.muli(half(in, 1, arena));
        arena.release(mark);
    }

    @Override
    public void gatedBackward(Gate gate, INDArray dOut, INDArray in, INDArray dIn, Arena arena) {
        Arena.Mark mark = arena.mark();
        INDArray x = half(in, 0, arena);
        INDArray up = half(in, 1, arena);
        INDArray product = arena.take(dOut.shape());
        activate(gate, x, product, arena);
        columns(dIn, dOut.size(1), dOut.size(1)).assign(product.muli(dOut));
        up.muli(dOut);
        activateBackward(gate, up, x, product, arena);
        columns(dIn, 0, dOut.size(1)).assign(product);
        arena.release(mark);
    }

    /** A copy of the left (0) or right (1) half of the columns. */
    private static INDArray half(INDArray in, int number, Arena arena) {
        long f = in.size(1) / 2;
        INDArray copy = arena.take(in.size(0), f);
        return copy.assign(columns(in, number * f, f));
    }

    private void activate(Gate gate, INDArray in, INDArray out, Arena arena) {
        switch (gate) {
            case GELU -> gelu(in, out, arena);
            case SILU -> Nd4j.exec(new Sigmoid(in, out)).muli(in);
        }
    }

    private void activateBackward(Gate gate, INDArray dOut, INDArray in, INDArray dIn, Arena arena) {
        if (gate == Gate.GELU) {
            geluBackward(dOut, in, dIn, arena);
            return;
        }
        Arena.Mark mark = arena.mark();
        INDArray sigmoid = arena.take(in.shape());
        Nd4j.exec(new Sigmoid(in, sigmoid));
        sigmoid.rsubi(1, dIn);
        dIn.muli(in).addi(1).muli(sigmoid).muli(dOut); // dOut·σ·(1 + x·(1 − σ))
        arena.release(mark);
    }

    /** A view of {@code count} columns from one on. */
    static INDArray columns(INDArray matrix, long column, long count) {
        return Nd4j.create(
                matrix.data(),
                new long[] {matrix.size(0), count},
                new long[] {matrix.size(1), 1},
                matrix.offset() + column,
                'c');
    }

    @Override
    public void multiplyRows(INDArray in, RowFactors factors, INDArray out, Arena arena) {
        int width = (int) in.size(1);
        float[] by = new float[Math.toIntExact(in.length())];
        for (int row = 0; row < in.size(0); row++) {
            factors.write(row, by, row * width);
        }
        Arena.Mark mark = arena.mark();
        INDArray mask = arena.take(in.shape());
        try (INDArray raw = Nd4j.createFromArray(by)) {
            mask.assign(raw.reshape(in.shape()));
        }
        in.muli(mask, out);
        arena.release(mark);
    }

    @Override
    public void embed(
            int[] tokens,
            int[] positions,
            INDArray tokenTable,
            @Nullable INDArray positionTable,
            INDArray out,
            Arena arena) {
        gatherRows(tokenTable, tokens, out);
        if (positionTable == null) {
            return;
        }
        Arena.Mark mark = arena.mark();
        INDArray atPosition = arena.take(out.shape());
        gatherRows(positionTable, positions, atPosition);
        out.addi(atPosition);
        arena.release(mark);
    }

    @Override
    public void embedBackward(
            INDArray dOut,
            int[] tokens,
            int[] positions,
            INDArray dTokenTable,
            @Nullable INDArray dPositionTable,
            Arena arena) {
        scatterAddRows(dOut, tokens, dTokenTable, arena);
        if (dPositionTable != null) {
            scatterAddRows(dOut, positions, dPositionTable, arena);
        }
    }

    @Override
    public void rotate(AttentionShape shape, INDArray qkv, int[] positions, RotaryAngles angles, Arena arena) {
        Nd4jRotary.rotate(shape, qkv, positions, angles, 1, arena);
    }

    @Override
    public void rotateBackward(AttentionShape shape, INDArray dQkv, int[] positions, RotaryAngles angles, Arena arena) {
        Nd4jRotary.rotate(shape, dQkv, positions, angles, -1, arena);
    }

    @Override
    public void attention(PackedTokens packed, AttentionShape shape, INDArray qkv, INDArray out, Arena arena) {
        Arena.Mark mark = arena.mark();
        PackedTokens whole = packed.whole();
        INDArray all = whole == packed ? out : arena.take(whole.rows(), out.size(1));
        attention.forward(whole, shape.heads(), Nd4jGroupedHeads.spread(shape, qkv, arena), all, arena);
        if (whole != packed) {
            gatherRows(all, packed.rowsOfWhole(), out);
        }
        arena.release(mark);
    }

    @Override
    public void attentionBackward(
            PackedTokens packed, AttentionShape shape, INDArray dOut, INDArray qkv, INDArray dQkv, Arena arena) {
        Arena.Mark mark = arena.mark();
        PackedTokens whole = packed.whole();
        INDArray all = dOut;
        if (whole != packed) {
            all = arena.takeZeros(whole.rows(), dOut.size(1));
            scatterAddRows(dOut, packed.rowsOfWhole(), all, arena);
        }
        INDArray spread = Nd4jGroupedHeads.spread(shape, qkv, arena);
        INDArray dSpread = spread == qkv ? dQkv : arena.take(spread.shape());
        attention.backward(whole, shape.heads(), all, spread, dSpread, arena);
        if (dSpread != dQkv) {
            Nd4jGroupedHeads.addUp(shape, dSpread, dQkv);
        }
        arena.release(mark);
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
        tokenHead.run(hidden, table, targets, temperature, out, gradient, arena);
    }

    @Override
    public KeyValueCache keyValueCache(AttentionShape shape, DataType dataType) {
        return new Nd4jKeyValueCache(shape, dataType);
    }

    @Override
    public void multiplyByTransposed(INDArray in, INDArray table, INDArray out) {
        Nd4j.gemm(in, table, out, false, true, 1, 0);
    }

    @Override
    public PackedLinear pack(INDArray weight, @Nullable INDArray bias, WeightFormat format) {
        return new UnpackedLinear(this, weight, false, bias, format);
    }

    @Override
    public PackedLinear pack(Int8Matrix weight, @Nullable INDArray bias) {
        return new UnpackedInt8(this, weight, bias);
    }

    @Override
    public PackedLinear packTransposed(INDArray table, WeightFormat format) {
        return new UnpackedLinear(this, table, true, null, format);
    }

    @Override
    public float[][] toRows(INDArray matrix) {
        return matrix.toFloatMatrix();
    }

    @Override
    public void gatherRows(INDArray from, int[] rows, INDArray into) {
        gather(from, rows, into);
    }

    @Override
    public void copyColumns(INDArray from, int first, INDArray into) {
        into.assign(columns(from, first, into.size(1)));
    }

    @Override
    public void addColumns(INDArray from, INDArray into, int first) {
        columns(into, first, from.size(1)).addi(from);
    }

    /**
     * ND4J's {@code scatter_add} loses updates when a row is named twice and it runs on several threads. So the rows that
     * go to one place are first added up, by a product with an indicator matrix, some rows at a time.
     */
    @Override
    public void scatterAddRows(INDArray from, int[] rows, INDArray into, Arena arena) {
        for (int start = 0; start < rows.length; start += SCATTER_ROWS) {
            int end = Math.min(rows.length, start + SCATTER_ROWS);
            int[] part = Arrays.copyOfRange(rows, start, end);
            int[] distinct = Arrays.stream(part).distinct().toArray();
            INDArray addends = Rows.slice(from, start, end);
            Arena.Mark mark = arena.mark();
            if (distinct.length < part.length) {
                INDArray sums = arena.take(distinct.length, from.size(1));
                try (INDArray indicator = indicator(distinct, part, from.dataType())) {
                    Nd4j.gemm(indicator, addends, sums, false, false, 1, 0);
                }
                addends = sums;
            }
            scatterAddDistinct(addends, distinct, into);
            arena.release(mark);
        }
    }

    /** {@code [distinct, rows]}: 1 where a row is the distinct one. */
    private static INDArray indicator(int[] distinct, int[] rows, DataType type) {
        Map<Integer, Integer> placeOf = new HashMap<>();
        for (int i = 0; i < distinct.length; i++) {
            placeOf.put(distinct[i], i);
        }
        float[] indicator = new float[distinct.length * rows.length];
        for (int i = 0; i < rows.length; i++) {
            indicator[placeOf.get(rows[i]) * rows.length + i] = 1;
        }
        return Nd4j.createFromArray(indicator).castTo(type).reshape('c', distinct.length, rows.length);
    }

    private static void scatterAddDistinct(INDArray from, int[] rows, INDArray into) {
        try (INDArray indices = Nd4j.createFromArray(rows)) {
            Nd4j.exec(DynamicCustomOp.builder("scatter_add")
                    .addInputs(into, indices, from)
                    .addOutputs(into)
                    .build());
        }
    }

    static void gather(INDArray from, int[] rows, INDArray into) {
        try (INDArray indices = Nd4j.createFromArray(rows)) {
            Nd4j.exec(DynamicCustomOp.builder("gather")
                    .addInputs(from, indices)
                    .addOutputs(into)
                    .addIntegerArguments(0)
                    .build());
        }
    }

    @Override
    public double norm(INDArray vector) {
        return vector.norm2Number().doubleValue();
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
        Arena.Mark mark = arena.mark();
        INDArray scratch = arena.take(values.length());
        INDArray root = arena.take(values.length());
        if (step.gradientScale() != 1) {
            gradients.muli(step.gradientScale());
        }
        gradients.muli(1 - step.beta1(), scratch); // m = β₁m + (1 − β₁)g
        firstMoment.muli(step.beta1()).addi(scratch);
        gradients.muli(gradients, scratch); // v = β₂v + (1 − β₂)g²
        scratch.muli(1 - step.beta2());
        secondMoment.muli(step.beta2()).addi(scratch);
        if (step.decay() != 1) {
            decayed.forEach(range -> range(values, range).muli(step.decay()));
        }
        Nd4j.exec(new Sqrt(secondMoment, root)); // w = w − stepSize·m/(√v·rootScale + ε)
        root.muli(step.rootScale()).addi(step.epsilon());
        firstMoment.divi(root, scratch);
        values.subi(scratch.muli(step.stepSize()));
        gradients.assign(0);
        arena.release(mark);
    }

    private static INDArray range(INDArray vector, DecayedRange range) {
        long length = range.to() - range.from();
        return Nd4j.create(vector.data(), new long[] {length}, new long[] {1}, vector.offset() + range.from(), 'c');
    }

    private static void addRow(INDArray rows, @Nullable INDArray row) {
        if (row != null) {
            Nd4j.exec(new BroadcastAddOp(rows, row, rows, 1));
        }
    }

    /** {@code sums [M] += Σ_rows matrix [N, M]}. */
    private static void addColumnSums(INDArray matrix, @Nullable INDArray sums, Arena arena) {
        if (sums == null) {
            return;
        }
        Arena.Mark mark = arena.mark();
        INDArray ones = arena.take(1, matrix.size(0));
        ones.assign(1);
        Nd4j.gemm(ones, matrix, sums.reshape(1, sums.length()), false, false, 1, 1);
        arena.release(mark);
    }

    /** A vector of these values, to be closed by the caller. */
    static INDArray columnOf(double[] values, DataType type) {
        if (type == DataType.DOUBLE) {
            return Nd4j.createFromArray(values);
        }
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        return Nd4j.createFromArray(floats);
    }

    /** The values of a vector. */
    static double[] toDoubles(INDArray vector) {
        try (INDArray copy = vector.dup()) {
            return copy.data().asDouble();
        }
    }
}
