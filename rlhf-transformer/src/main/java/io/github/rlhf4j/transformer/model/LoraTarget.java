package io.github.rlhf4j.transformer.model;

/**
 * A projection of a block that low-rank adapters can be added to. Ours are fused: queries, keys and values are columns of one
 * matrix, gate and up-projection of another.
 */
public enum LoraTarget {
    /** {@code q_proj}: {@code [C, H·D]}. */
    QUERY,
    /** {@code k_proj}: {@code [C, K·D]}. */
    KEY,
    /** {@code v_proj}: {@code [C, K·D]}. */
    VALUE,
    /** One adapter for queries, keys and values, {@code [C, (H + 2K)·D]}: GPT-2's {@code c_attn}. */
    QUERY_KEY_VALUE,
    /** {@code o_proj}, GPT-2's {@code attn.c_proj}: {@code [H·D, C]}. */
    ATTENTION_OUTPUT,
    /** {@code gate_proj}: {@code [C, F]}; only where the feed-forward layer is gated. */
    GATE,
    /** {@code up_proj}, GPT-2's {@code mlp.c_fc}: {@code [C, F]}. */
    UP,
    /** {@code down_proj}, GPT-2's {@code mlp.c_proj}: {@code [F, C]}. */
    DOWN
}
