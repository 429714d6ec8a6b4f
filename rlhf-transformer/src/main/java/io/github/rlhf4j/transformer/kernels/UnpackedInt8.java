package io.github.rlhf4j.transformer.kernels;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@link PackedLinear} by a kernel's products with an {@link Int8Matrix} where it is: no copy at all. */
record UnpackedInt8(
        Kernels kernels, Int8Matrix weight, @Nullable INDArray bias) implements PackedLinear {

    @Override
    public void apply(INDArray in, INDArray out, Arena arena) {
        kernels.linear(in, weight, bias, out, arena);
    }

    @Override
    public void addTo(INDArray sum, INDArray in, Arena arena) {
        kernels.addLinear(in, weight, bias, sum, arena);
    }

    @Override
    public void apply(INDArray in, float[][] rows, Arena arena) {
        Arena.Mark mark = arena.mark();
        INDArray out = arena.take(in.size(0), weight.columns());
        apply(in, out, arena);
        float[][] copy = kernels.toRows(out);
        System.arraycopy(copy, 0, rows, 0, copy.length);
        arena.release(mark);
    }

    /** The weights are where they were. */
    @Override
    public void refresh() {}
}
