package io.github.rlhf4j.transformer.kernels;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Keys and values of one layer for the sequences of a decoding session. */
public interface KeyValueCache extends AutoCloseable {

    /**
     * Stores keys and values of rows {@code qkv [N, 3C]}.
     *
     * @param sequences the sequence of each row, {@code [N]}
     * @param positions the position of each row in its sequence, {@code [N]}
     */
    void append(INDArray qkv, int[] sequences, int[] positions, Arena arena);

    /**
     * Attention of one new row per sequence over everything up to and including it, which {@link #append} has stored.
     *
     * @param qkv {@code [b, 3C]}
     * @param sequences the sequence of each row, ascending, {@code [b]}
     * @param positions the position of each row, {@code [b]}
     * @param out {@code [b, C]}
     */
    void attend(INDArray qkv, int[] sequences, int[] positions, INDArray out, Arena arena);

    @Override
    void close();
}
