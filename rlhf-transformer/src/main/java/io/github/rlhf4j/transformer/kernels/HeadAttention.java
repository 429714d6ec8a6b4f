package io.github.rlhf4j.transformer.kernels;

/** Causal attention of one head of one sequence on the calling thread, in memory that grows with T and not with T². */
interface HeadAttention {

    /**
     * {@code out = softmax(q·kᵀ/√D)·v} for the queries that attend.
     *
     * @param qkv queries, keys and values of all heads, {@code [N, 3C]}
     * @param out {@code [M, C]}
     */
    void forward(AttentionHead head, StridedMatrix qkv, StridedMatrix out);

    /** The gradient of {@link #forward}: {@code dQkv [N, 3C]} is overwritten in this head's rows and columns. */
    void backward(AttentionHead head, StridedMatrix dOut, StridedMatrix qkv, StridedMatrix dQkv);
}
