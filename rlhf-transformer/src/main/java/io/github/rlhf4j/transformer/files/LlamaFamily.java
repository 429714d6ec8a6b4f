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
 * LLaMA (SmolLM2 too), Mistral, Qwen2 and Gemma: RMSNorm, rotary positions, gated units, and the same names of tensors.
 *
 * <p>Mistral's sliding window is its context here: within it, attention is the full one.
 */
enum LlamaFamily implements ModelFamily {
    LLAMA("llama", "Llama", Activation.SWIGLU, 1e-6, 2048, false),
    MISTRAL("mistral", "Mistral", Activation.SWIGLU, 1e-6, 131_072, false),
    QWEN2("qwen2", "Qwen2", Activation.SWIGLU, 1e-6, 32_768, false),
    GEMMA("gemma", "Gemma", Activation.GEGLU, 1e-6, 8192, true);

    private static final Set<String> SILU = Set.of("silu", "swish");

    /** Gemma's first config says gelu and means the tanh form, as {@code transformers} reads it. */
    private static final Set<String> GELU = Set.of("gelu_pytorch_tanh", "gelu_new", "gelu");

    private final String modelType;
    private final String className;
    private final Activation activation;
    private final double defaultEpsilon;
    private final int defaultContext;
    private final boolean tiedByDefault;

    LlamaFamily(
            String modelType,
            String className,
            Activation activation,
            double defaultEpsilon,
            int defaultContext,
            boolean tiedByDefault) {
        this.modelType = modelType;
        this.className = className;
        this.activation = activation;
        this.defaultEpsilon = defaultEpsilon;
        this.defaultContext = defaultContext;
        this.tiedByDefault = tiedByDefault;
    }

    @Override
    public String modelType() {
        return modelType;
    }

    @Override
    public String className() {
        return className;
    }

    @Override
    public String prefix() {
        return "model.";
    }

    @Override
    public boolean describes(TransformerConfig config) {
        boolean common = config.norm() == Norm.RMS
                && RotaryFields.describes(config.rotary())
                && config.activation() == activation
                && config.block() == BlockForm.SEQUENTIAL;
        boolean plainHeads = config.headSize() * config.heads() == config.width();
        double scale = this == GEMMA ? Math.sqrt(config.width()) : 1;
        return common
                && config.embeddingScale() == scale
                && switch (this) {
                    case LLAMA -> config.biases() != Biases.QUERY_KEY_VALUE;
                    case QWEN2 -> config.biases() == Biases.QUERY_KEY_VALUE && plainHeads;
                    case GEMMA, MISTRAL -> config.biases() == Biases.NONE;
                };
    }

    @Override
    public void describe(TransformerConfig config, ObjectNode json) {
        json.put("vocab_size", config.vocabularySize());
        json.put("max_position_embeddings", config.contextLength());
        json.put("hidden_size", config.width());
        json.put("num_hidden_layers", config.layers());
        json.put("num_attention_heads", config.heads());
        json.put("num_key_value_heads", config.keyValueHeads());
        json.put("head_dim", config.headSize());
        json.put("intermediate_size", config.feedForwardWidth());
        json.put("rms_norm_eps", config.normEpsilon());
        json.put(this == GEMMA ? "hidden_activation" : "hidden_act", this == GEMMA ? "gelu_pytorch_tanh" : "silu");
        if (this == GEMMA) {
            json.put("hidden_act", "gelu_pytorch_tanh");
        }
        if (this == LLAMA) {
            json.put("attention_bias", config.biases() == Biases.ALL);
            json.put("mlp_bias", config.biases() == Biases.ALL);
        }
        json.put("attention_dropout", 0.0);
        json.put("resid_pdrop", config.dropout());
        RotaryFields.describe(Objects.requireNonNull(config.rotary()), json);
    }

    @Override
    public TransformerConfig read(JsonFields fields) throws IOException {
        String act = this == GEMMA && fields.has("hidden_activation") ? "hidden_activation" : "hidden_act";
        fields.text(act, this == GEMMA ? "gelu_pytorch_tanh" : "silu", this == GEMMA ? GELU : SILU);
        int width = fields.upTo("hidden_size", JsonFields.MOST_WIDTH);
        int heads = fields.size("num_attention_heads");
        int headSize = RotaryFields.headSize(fields, width, heads);
        TransformerConfig.Builder builder = TransformerConfig.llama(
                        fields.size("vocab_size"), context(fields), width, fields.size("num_hidden_layers"), 1)
                .toBuilder()
                .heads(heads)
                .keyValueHeads(fields.divisor("num_key_value_heads", "num_attention_heads", heads))
                .headSize(headSize)
                .feedForwardWidth(fields.upTo("intermediate_size", JsonFields.MOST_FEED_FORWARD))
                .normEpsilon(fields.epsilon("rms_norm_eps", defaultEpsilon))
                .activation(activation)
                .biases(biases(fields))
                .tiedEmbeddings(fields.flag("tie_word_embeddings", tiedByDefault))
                .embeddingScale(this == GEMMA ? Math.sqrt(width) : 1)
                .rotary(RotaryFields.read(fields, 10_000))
                .dropout(fields.dropout("resid_pdrop"));
        return builder.build();
    }

    /** Positions, or fewer where a window slides over them. */
    private int context(JsonFields fields) throws IOException {
        int positions = fields.size("max_position_embeddings", defaultContext);
        boolean slides = this == MISTRAL || fields.flag("use_sliding_window", false);
        return slides ? Math.min(positions, fields.size("sliding_window", positions)) : positions;
    }

    private Biases biases(JsonFields fields) throws IOException {
        if (this == QWEN2) {
            return Biases.QUERY_KEY_VALUE;
        }
        boolean attention = fields.flag("attention_bias", false);
        if (fields.flag("mlp_bias", false) != attention) {
            throw fields.refused(
                    "mlp_bias",
                    attention + " as attention_bias: biases are in all linear layers here, or in none",
                    fields.root().path("mlp_bias"));
        }
        return attention ? Biases.ALL : Biases.NONE;
    }

    @Override
    public List<StoredPart> layout(TransformerConfig config, boolean scalar) {
        return LlamaNames.HUGGING_FACE.layout(config, false, this == GEMMA ? 1 : 0, scalar);
    }
}
