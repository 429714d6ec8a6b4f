package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.kernels.PackedTokens;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A low-rank adapter of some columns of a linear layer (Hu et al. 2021 §4.1): {@code out[:, from : from + count] +=
 * scale·dropout(in)·A·B}.
 *
 * @param a {@code [K, r]}
 * @param b {@code [r, count]}
 */
record Adapter(Parameter a, Parameter b, LoraPlace place, double scale, Kernels kernels) {

    /** Adds what the adapter makes of {@code in [N, K]} to {@code out [N, M]}. */
    void forward(INDArray in, INDArray out, PackedTokens packed, @Nullable Dropout dropout, Arena arena) {
        Arena.Mark mark = arena.mark();
        forward(thinned(in, packed, dropout, arena), out, arena);
        arena.release(mark);
    }

    /** As the other {@code forward}, without dropout. */
    void forward(INDArray in, INDArray out, Arena arena) {
        Arena.Mark mark = arena.mark();
        addProduct(low(in, arena), out, arena);
        arena.release(mark);
    }

    /** Adds {@code scale·A·B} to the layer's weight {@code [K, M]}. */
    void addTo(INDArray weight, Arena arena) {
        Arena.Mark mark = arena.mark();
        addProduct(arena.take(a.shape()).assign(a.value()).muli(scale), weight, arena);
        arena.release(mark);
    }

    /** Adds {@code low [N, r]·B} to the adapted columns. */
    private void addProduct(INDArray low, INDArray out, Arena arena) {
        if (place.isWhole()) {
            kernels.addLinear(low, b.value(), null, out);
        } else {
            INDArray columns = arena.take(low.size(0), place.count());
            kernels.linear(low, b.value(), null, columns);
            kernels.addColumns(columns, out, place.from());
        }
    }

    /** {@code scale·in·A [N, r]}. */
    private INDArray low(INDArray in, Arena arena) {
        INDArray low = arena.take(in.size(0), a.shape()[1]);
        kernels.linear(in, a.value(), null, low);
        return low.muli(scale);
    }

    /** Mirrors {@link #forward}, of which {@code low} is computed again: adds dA and dB, and to {@code dIn [N, K]}. */
    void backward(
            INDArray dOut, INDArray in, INDArray dIn, PackedTokens packed, @Nullable Dropout dropout, Arena arena) {
        Arena.Mark mark = arena.mark();
        INDArray thinned = thinned(in, packed, dropout, arena);
        INDArray low = low(thinned, arena);
        INDArray dColumns = dOut;
        if (!place.isWhole()) {
            dColumns = arena.take(dOut.size(0), place.count());
            kernels.copyColumns(dOut, place.from(), dColumns);
        }
        INDArray dLow = arena.take(low.shape());
        kernels.linearBackward(dColumns, low, b.value(), dLow, b.gradient(), null, arena); // columns = low·B
        dLow.muli(scale);
        INDArray dThinned = arena.take(in.shape());
        kernels.linearBackward(dLow, thinned, a.value(), dThinned, a.gradient(), null, arena); // low = scale·thinned·A
        Dropout mask = Dropout.ofAdapters(dropout);
        if (mask != null) {
            mask.applyToAdapter(dThinned, number(), packed, dThinned, arena);
        }
        dIn.addi(dThinned);
        arena.release(mark);
    }

    private INDArray thinned(INDArray in, PackedTokens packed, @Nullable Dropout dropout, Arena arena) {
        Dropout mask = Dropout.ofAdapters(dropout);
        if (mask == null) {
            return in;
        }
        INDArray out = arena.take(in.shape());
        mask.applyToAdapter(in, number(), packed, out, arena);
        return out;
    }

    /** Of the dropout: below those of the residual stream, which begin at 0. */
    private int number() {
        return -1 - place.layer() * LoraTarget.values().length - place.target().ordinal();
    }
}
