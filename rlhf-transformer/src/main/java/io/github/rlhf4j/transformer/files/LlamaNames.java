package io.github.rlhf4j.transformer.files;

import io.github.rlhf4j.transformer.kernels.AttentionShape;
import io.github.rlhf4j.transformer.model.Transformer;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.model.TransformerConfig.Biases;
import io.github.rlhf4j.transformer.model.TransformerConfig.BlockForm;
import java.util.ArrayList;
import java.util.List;

/**
 * What a format calls the tensors of LLaMA-like models: queries, keys and values, gate and up-projection each a tensor of their
 * own, linear layers {@code [out, in]}.
 *
 * @param block what comes before the names of a block's tensors, with {@code %d} for its number
 */
record LlamaNames(
        String embedding,
        String block,
        String norm1,
        String query,
        String key,
        String value,
        String output,
        String norm2,
        String gate,
        String up,
        String down,
        String finalNorm,
        String head) {

    static final LlamaNames HUGGING_FACE = new LlamaNames(
            "model.embed_tokens",
            "model.layers.%d.",
            "input_layernorm",
            "self_attn.q_proj",
            "self_attn.k_proj",
            "self_attn.v_proj",
            "self_attn.o_proj",
            "post_attention_layernorm",
            "mlp.gate_proj",
            "mlp.up_proj",
            "mlp.down_proj",
            "model.norm",
            "lm_head");

    static final LlamaNames GGUF = new LlamaNames(
            "token_embd",
            "blk.%d.",
            "attn_norm",
            "attn_q",
            "attn_k",
            "attn_v",
            "attn_output",
            "ffn_norm",
            "ffn_gate",
            "ffn_up",
            "ffn_down",
            "output_norm",
            "output");

    static final LlamaNames LLAMA2C = new LlamaNames(
            "tok_embeddings",
            "layers.%d.",
            "attention_norm",
            "attention.wq",
            "attention.wk",
            "attention.wv",
            "attention.wo",
            "ffn_norm",
            "feed_forward.w1",
            "feed_forward.w3",
            "feed_forward.w2",
            "norm",
            "output");

    /**
     * The tensors of a model.
     *
     * @param paired whether rotary positions turn neighbours
     * @param gainShift what stored gains lack
     * @param scalar whether this is a scalar model, without a token head
     */
    List<StoredPart> layout(TransformerConfig config, boolean paired, double gainShift, boolean scalar) {
        List<StoredPart> parts = new ArrayList<>();
        parts.add(StoredPart.asItIs(embedding + ".weight", "transformer.wte.weight"));
        for (int layer = 0; layer < config.layers(); layer++) {
            addBlock(parts, config, layer, paired ? config.headSize() : 0, gainShift);
        }
        parts.add(gain(finalNorm, "transformer.ln_f", gainShift));
        if (!config.tiedEmbeddings() && !scalar) {
            parts.add(StoredPart.asItIs(head + ".weight", Transformer.HEAD));
        }
        return parts;
    }

    private void addBlock(
            List<StoredPart> parts, TransformerConfig config, int layer, int pairedHead, double gainShift) {
        String theirs = String.format(block, layer);
        String ours = "transformer.h." + layer;
        AttentionShape shape = config.attention();
        int keys = shape.keyWidth();
        int f = config.feedForwardWidth();
        boolean attentionBias = config.biases() != Biases.NONE;
        boolean bias = config.biases() == Biases.ALL;
        parts.add(gain(theirs + norm1, ours + ".ln_1", gainShift));
        String qkv = ours + ".attn.c_attn";
        addColumns(parts, theirs + query, qkv, 0, shape.queryWidth(), pairedHead, attentionBias);
        addColumns(parts, theirs + key, qkv, shape.keysFrom(), keys, pairedHead, attentionBias);
        addColumns(parts, theirs + value, qkv, shape.valuesFrom(), keys, 0, attentionBias);
        addColumns(parts, theirs + output, ours + ".attn.c_proj", 0, StoredPart.ALL, 0, bias);
        if (config.block() == BlockForm.SEQUENTIAL) {
            parts.add(gain(theirs + norm2, ours + ".ln_2", gainShift));
        }
        addColumns(parts, theirs + gate, ours + ".mlp.c_fc", 0, f, 0, bias);
        addColumns(parts, theirs + up, ours + ".mlp.c_fc", f, f, 0, bias);
        addColumns(parts, theirs + down, ours + ".mlp.c_proj", 0, StoredPart.ALL, 0, bias);
    }

    private static StoredPart gain(String theirs, String ours, double shift) {
        return StoredPart.asItIs(theirs + ".weight", ours + ".weight").shiftedBy(shift);
    }

    private static void addColumns(
            List<StoredPart> parts, String theirs, String ours, int from, int count, int pairedHead, boolean bias) {
        parts.add(StoredPart.columns(theirs + ".weight", ours + ".weight", from, count, pairedHead));
        if (bias) {
            parts.add(StoredPart.elements(theirs + ".bias", ours + ".bias", from, count, pairedHead));
        }
    }
}
