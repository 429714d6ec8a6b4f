package io.github.rlhf4j.transformer.kernels;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A linear layer for decoding, {@code in [N, K] → in·weight + bias [N, M]}: its weights are a copy, arranged so that a few
 * rows at a time are multiplied as fast as memory delivers weights. Safe for use from several threads, except {@link
 * #refresh}.
 */
public interface PackedLinear {

    /** {@code out [N, M] = in [N, K]·weight + bias}. */
    void apply(INDArray in, INDArray out, Arena arena);

    /** {@code sum [N, M] += in [N, K]·weight + bias}. */
    void addTo(INDArray sum, INDArray in, Arena arena);

    /** As {@link #apply}, into Java's memory: {@code rows[i] = float[M]} for i below N. */
    void apply(INDArray in, float[][] rows, Arena arena);

    /** Takes the weights as they are now. */
    void refresh();
}
