package io.github.rlhf4j.transformer.kernels;

import java.util.List;

/** Causal attention of heads of one sequence on the calling thread, in memory that grows with T and not with T². */
interface HeadAttention {

    /**
     * {@code out = softmax(q·kᵀ/√D)·v} for the queries of a head that attend.
     *
     * @param qkv queries, keys and values of all heads, {@code [N, (H + 2K)·D]}
     * @param out {@code [M, H·D]}
     */
    void forward(AttentionHead head, StridedMatrix qkv, StridedMatrix out);

    /**
     * The gradient of {@link #forward}: {@code dQkv} is overwritten in these heads' rows and columns.
     *
     * @param group all query heads that read one key-value head, at least one
     */
    void backward(List<AttentionHead> group, StridedMatrix dOut, StridedMatrix qkv, StridedMatrix dQkv);
}
