package io.github.rlhf4j.transformer.files;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.model.TransformerConfig.Activation;
import io.github.rlhf4j.transformer.model.TransformerConfig.Biases;
import io.github.rlhf4j.transformer.model.TransformerConfig.BlockForm;
import io.github.rlhf4j.transformer.model.TransformerConfig.Norm;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * PaLM's shape under the name of the family of {@code transformers} that has it, Cohere's: parallel blocks, LayerNorm without bias,
 * rotary positions that turn neighbours, SwiGLU, tied embeddings; its {@code logit_scale} is 1 here.
 */
final class CohereFamily implements ModelFamily {

    @Override
    public String modelType() {
        return "cohere";
    }

    @Override
    public String className() {
        return "Cohere";
    }

    @Override
    public String prefix() {
        return "model.";
    }

    @Override
    public boolean describes(TransformerConfig config) {
        return config.norm() == Norm.LAYER
                && RotaryFields.describes(config.rotary())
                && config.activation() == Activation.SWIGLU
                && config.block() == BlockForm.PARALLEL
                && config.biases() == Biases.NONE
                && config.tiedEmbeddings()
                && config.headSize() * config.heads() == config.width()
                && config.embeddingScale() == 1;
    }

    @Override
    public void describe(TransformerConfig config, ObjectNode json) {
        json.put("vocab_size", config.vocabularySize());
        json.put("max_position_embeddings", config.contextLength());
        json.put("hidden_size", config.width());
        json.put("num_hidden_layers", config.layers());
        json.put("num_attention_heads", config.heads());
        json.put("num_key_value_heads", config.keyValueHeads());
        json.put("intermediate_size", config.feedForwardWidth());
        json.put("layer_norm_eps", config.normEpsilon());
        json.put("hidden_act", "silu");
        json.put("logit_scale", 1.0);
        json.put("use_qk_norm", false);
        json.put("attention_bias", false);
        json.put("attention_dropout", 0.0);
        json.put("resid_pdrop", config.dropout());
        RotaryFields.describe(Objects.requireNonNull(config.rotary()), json);
    }

    @Override
    public TransformerConfig read(JsonFields fields) throws IOException {
        fields.text("hidden_act", "silu", Set.of("silu", "swish"));
        fields.requireFlag("use_qk_norm", false, false, "queries and keys are not normalised here");
        fields.requireFlag("attention_bias", false, false, "there are no biases here");
        fields.requireFlag("tie_word_embeddings", true, true, "as in PaLM");
        if (fields.number("logit_scale", 0.0625) != 1) {
            throw fields.refused("logit_scale", "1, as in PaLM", fields.root().path("logit_scale"));
        }
        int width = fields.upTo("hidden_size", JsonFields.MOST_WIDTH);
        int heads = fields.size("num_attention_heads");
        int headSize = RotaryFields.headSize(fields, width, heads);
        return TransformerConfig.palm(
                        fields.size("vocab_size"),
                        fields.size("max_position_embeddings", 8192),
                        width,
                        fields.size("num_hidden_layers"),
                        1)
                .toBuilder()
                .heads(heads)
                .keyValueHeads(fields.divisor("num_key_value_heads", "num_attention_heads", heads))
                .headSize(headSize)
                .feedForwardWidth(fields.upTo("intermediate_size", JsonFields.MOST_FEED_FORWARD))
                .normEpsilon(fields.epsilon("layer_norm_eps", 1e-5))
                .rotary(RotaryFields.read(fields, 10_000))
                .dropout(fields.dropout("resid_pdrop"))
                .build();
    }

    @Override
    public List<StoredPart> layout(TransformerConfig config, boolean scalar) {
        return LlamaNames.HUGGING_FACE.layout(config, true, 0, scalar);
    }
}
