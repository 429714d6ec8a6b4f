package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.PackedTokens;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The end of a branch of the residual stream: a linear layer, dropout, and the sum. */
final class ResidualBranch {

    private ResidualBranch() {}

    /**
     * Adds {@code last(in)} to the stream {@code x [N, C]}. Without dropout the product goes straight into the sum.
     *
     * @param place of the dropout
     * @return the dropout's mask, or null
     */
    static @Nullable INDArray add(
            Linear last,
            INDArray in,
            INDArray x,
            PackedTokens packed,
            @Nullable Dropout dropout,
            int place,
            Arena arena) {
        if (dropout == null) {
            last.addTo(x, in);
            return null;
        }
        INDArray mask = arena.take(x.shape());
        Arena.Mark before = arena.mark();
        INDArray out = last.forward(in, arena);
        dropout.apply(out, place, packed, mask);
        x.addi(out);
        arena.release(before);
        return mask;
    }
}
