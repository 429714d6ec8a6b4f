package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.PackedLinear;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A linear layer for decoding whose adapters stay beside its weights, as bytes cannot hold the sum of both. The adapters are
 * read as they are at each call.
 */
record AdaptedLinear(Linear layer, PackedLinear packed) implements PackedLinear {

    @Override
    public void apply(INDArray in, INDArray out, Arena arena) {
        packed.apply(in, out, arena);
        layer.addAdapters(in, out, arena);
    }

    @Override
    public void addTo(INDArray sum, INDArray in, Arena arena) {
        packed.addTo(sum, in, arena);
        layer.addAdapters(in, sum, arena);
    }

    /** A token head has no adapters. */
    @Override
    public void apply(INDArray in, float[][] rows, Arena arena) {
        throw new UnsupportedOperationException("a layer of a block writes into arrays");
    }

    /** Weights that are bytes do not change. */
    @Override
    public void refresh() {}
}
