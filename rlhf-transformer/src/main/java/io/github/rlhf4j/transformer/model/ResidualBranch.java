package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.PackedTokens;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The end of a branch of the residual stream: a linear layer, dropout, and the sum.
 *
 * @param last the layer
 * @param place number of the dropout
 */
record ResidualBranch(Linear last, int place) {

    /** Adds {@code last(in)} to the stream {@code x [N, C]}. Without dropout the product goes straight into the sum. */
    void forward(INDArray in, INDArray x, PackedTokens packed, @Nullable Dropout dropout, Arena arena) {
        Dropout mask = Dropout.ofStream(dropout);
        if (mask == null) {
            last.addTo(x, in, packed, dropout, arena);
            return;
        }
        Arena.Mark before = arena.mark();
        INDArray out = last.forward(in, packed, dropout, arena);
        mask.apply(out, place, packed, out, arena);
        x.addi(out);
        arena.release(before);
    }

    /** The gradient of the linear layer's output, of that of the stream; without dropout it is the same array. */
    INDArray backward(INDArray dX, PackedTokens packed, @Nullable Dropout dropout, Arena arena) {
        Dropout mask = Dropout.ofStream(dropout);
        if (mask == null) {
            return dX;
        }
        INDArray dOut = arena.take(dX.shape());
        mask.apply(dX, place, packed, dOut, arena);
        return dOut;
    }
}
