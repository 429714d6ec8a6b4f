package io.github.rlhf4j.transformer.kernels;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * {@link PackedLinear} by a kernel's products on the weights where they are: the reference for packed ones, and what
 * backends run on that have none. INT8 is a copy of the weights, rounded to the values that bytes can hold.
 */
final class UnpackedLinear implements PackedLinear {

    private final Kernels kernels;
    private final INDArray source;
    private final boolean transposed;
    private final @Nullable INDArray bias;
    private final WeightFormat format;
    private INDArray weight;

    /**
     * @param source {@code [K, M]}, or {@code [M, K]} when transposed
     * @param bias null for none; none when transposed
     */
    UnpackedLinear(Kernels kernels, INDArray source, boolean transposed, @Nullable INDArray bias, WeightFormat format) {
        this.kernels = kernels;
        this.source = source;
        this.transposed = transposed;
        this.bias = bias;
        this.format = format;
        this.weight = source;
        refresh();
    }

    @Override
    public void refresh() {
        weight = format == WeightFormat.INT8 ? rounded() : source;
    }

    private INDArray rounded() {
        float[] values = source.dup('c').data().asFloat();
        int rows = (int) source.size(0);
        int columns = (int) source.size(1);
        int outputs = transposed ? rows : columns;
        for (int j = 0; j < outputs; j++) {
            if (transposed) {
                Int8.round(values, j * columns, 1, columns);
            } else {
                Int8.round(values, j, columns, rows);
            }
        }
        return Nd4j.createFromArray(values).reshape('c', rows, columns).castTo(source.dataType());
    }

    @Override
    public void apply(INDArray in, INDArray out, Arena arena) {
        if (transposed) {
            kernels.multiplyByTransposed(in, weight, out);
        } else {
            kernels.linear(in, weight, bias, out);
        }
    }

    @Override
    public void addTo(INDArray sum, INDArray in, Arena arena) {
        if (transposed) {
            throw new IllegalStateException("a token head is not added to anything");
        }
        kernels.addLinear(in, weight, bias, sum);
    }

    @Override
    public void apply(INDArray in, float[][] rows, Arena arena) {
        Arena.Mark mark = arena.mark();
        INDArray out = arena.take(in.size(0), weight.size(transposed ? 0 : 1));
        apply(in, out, arena);
        float[][] copy = kernels.toRows(out);
        System.arraycopy(copy, 0, rows, 0, copy.length);
        arena.release(mark);
    }
}
