package io.github.rlhf4j.transformer.files;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.rlhf4j.transformer.model.Transformer;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.model.TransformerConfig.Activation;
import io.github.rlhf4j.transformer.model.TransformerConfig.Biases;
import io.github.rlhf4j.transformer.model.TransformerConfig.BlockForm;
import io.github.rlhf4j.transformer.model.TransformerConfig.Norm;
import java.io.IOException;
import java.util.List;
import java.util.Set;

/** GPT-2: parameters are named and laid out as ours, linear layers {@code [in, out]}. */
final class Gpt2Family implements ModelFamily {

    /** Both name the tanh form of GELU. */
    private static final Set<String> TANH_GELU = Set.of("gelu_new", "gelu_pytorch_tanh");

    private static final String WHY = "the only attention there is here";

    @Override
    public String modelType() {
        return "gpt2";
    }

    @Override
    public String className() {
        return "GPT2";
    }

    @Override
    public String prefix() {
        return "transformer.";
    }

    @Override
    public boolean describes(TransformerConfig config) {
        return config.norm() == Norm.LAYER
                && config.rotary() == null
                && config.activation() == Activation.GELU_TANH
                && config.block() == BlockForm.SEQUENTIAL
                && config.biases() == Biases.ALL
                && config.keyValueHeads() == config.heads()
                && config.headSize() * config.heads() == config.width()
                && config.embeddingScale() == 1;
    }

    @Override
    public void describe(TransformerConfig config, ObjectNode json) {
        json.put("activation_function", "gelu_new");
        json.put("vocab_size", config.vocabularySize());
        json.put("n_positions", config.contextLength());
        json.put("n_ctx", config.contextLength());
        json.put("n_embd", config.width());
        json.put("n_layer", config.layers());
        json.put("n_head", config.heads());
        json.put("n_inner", config.feedForwardWidth());
        json.put("layer_norm_epsilon", config.normEpsilon());
        json.put("embd_pdrop", config.dropout());
        json.put("resid_pdrop", config.dropout());
        json.put("attn_pdrop", 0.0);
        json.put("scale_attn_weights", true);
    }

    /** The dropout is {@code resid_pdrop} (0 when absent); {@code attn_pdrop} has no place in our transformer. */
    @Override
    public TransformerConfig read(JsonFields fields) throws IOException {
        fields.text("activation_function", "gelu_new", TANH_GELU);
        fields.requireFlag("scale_attn_weights", true, true, WHY);
        fields.requireFlag("scale_attn_by_inverse_layer_idx", false, false, WHY);
        int width = fields.upTo("n_embd", JsonFields.MOST_WIDTH);
        int heads = fields.size("n_head");
        if (width % heads != 0) {
            throw fields.refused(
                    "n_embd",
                    "a multiple of n_head (" + heads + ")",
                    fields.root().path("n_embd"));
        }
        return TransformerConfig.gpt2(
                        fields.size("vocab_size"), fields.size("n_positions"), width, fields.size("n_layer"), heads)
                .toBuilder()
                .feedForwardWidth(
                        fields.has("n_inner") ? fields.upTo("n_inner", JsonFields.MOST_FEED_FORWARD) : 4 * width)
                .normEpsilon(fields.epsilon("layer_norm_epsilon", 1e-5))
                .tiedEmbeddings(fields.flag("tie_word_embeddings", true))
                .dropout(fields.dropout("resid_pdrop"))
                .build();
    }

    @Override
    public List<StoredPart> layout(TransformerConfig config, boolean scalar) {
        return (scalar ? Transformer.declare(config) : Transformer.declareWithHead(config))
                .shapes().keySet().stream()
                        .map(name -> StoredPart.asItIs(name, name))
                        .toList();
    }
}
