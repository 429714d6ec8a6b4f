package io.github.rlhf4j.transformer.kernels;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Keys and values of one layer for the sequences of a decoding session. A sequence begins when something is stored for it. */
public interface KeyValueCache extends AutoCloseable {

    /** Positions of a sequence for which memory is taken at a time. */
    int GROWTH = 64;

    /**
     * Stores keys and values of rows {@code qkv [N, (H + 2K)·D]}.
     *
     * @param sequences the sequence of each row, ≥ 0, {@code [N]}
     * @param positions the position of each row in its sequence, {@code [N]}
     */
    void append(INDArray qkv, int[] sequences, int[] positions, Arena arena);

    /**
     * Begins a sequence with the first positions of another one, which may go on to differ behind them.
     *
     * @param length positions that both have, ≥ 1, at most as many as {@code from} has
     */
    void share(int from, int length, int to);

    /** Lets go of a sequence. */
    void release(int sequence);

    /**
     * Attention of one new row per sequence over everything up to and including it, which {@link #append} has stored.
     *
     * @param qkv {@code [b, (H + 2K)·D]}
     * @param sequences the sequence of each row, ascending, {@code [b]}
     * @param positions the position of each row, {@code [b]}
     * @param out {@code [b, H·D]}
     */
    void attend(INDArray qkv, int[] sequences, int[] positions, INDArray out, Arena arena);

    @Override
    void close();
}
