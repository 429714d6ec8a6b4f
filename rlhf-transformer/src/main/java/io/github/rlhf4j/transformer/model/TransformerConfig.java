package io.github.rlhf4j.transformer.model;

import com.fasterxml.jackson.annotation.JsonIgnore;
import io.github.rlhf4j.transformer.kernels.AttentionShape;
import org.jspecify.annotations.Nullable;

/**
 * The shape of a transformer, as orthogonal choices; a family is a preset of them ({@link #gpt2}, {@link #llama}, {@link
 * #qwen2}, {@link #gemma}, {@link #palm}).
 *
 * @param vocabularySize V, ≥ 1
 * @param contextLength the most tokens a sequence may have, ≥ 1
 * @param width C, ≥ 1
 * @param layers L, ≥ 1
 * @param heads H, ≥ 1
 * @param keyValueHeads K, a divisor of H: H for multi-head, 1 for multi-query (Shazeer 2019), between for grouped-query
 *     attention (Ainslie et al. 2023)
 * @param headSize D, the width of one head, ≥ 1; C/H in most families. Even with rotary positions
 * @param feedForwardWidth F, ≥ 1; 4·C in GPT-2
 * @param norm the normalisation
 * @param normEpsilon added inside the root, in (0, 1); 1e-5 in GPT-2
 * @param rotary rotary positions; null for a learned vector per position, added to the token's (GPT-2)
 * @param activation the feed-forward layer's non-linearity
 * @param block how attention and feed-forward layer follow each other
 * @param biases which linear layers have one
 * @param tiedEmbeddings whether the token head is the transposed token embedding
 * @param embeddingScale what token embeddings are multiplied by on their way in, finite and not 0: 1, or √C in Gemma
 * @param dropout probability in [0, 1) that an activation is dropped in training, at GPT-2's places (embedding, and each
 *     residual branch)
 */
public record TransformerConfig(
        int vocabularySize,
        int contextLength,
        int width,
        int layers,
        int heads,
        int keyValueHeads,
        int headSize,
        int feedForwardWidth,
        Norm norm,
        double normEpsilon,
        @Nullable Rotary rotary,
        Activation activation,
        BlockForm block,
        Biases biases,
        boolean tiedEmbeddings,
        double embeddingScale,
        double dropout) {

    /** Normalisation before each block's branches and at the end. */
    public enum Norm {
        /** Mean and variance, gain, and a bias with {@link Biases#ALL} (Ba et al. 2016). */
        LAYER,
        /** Root mean square and gain (Zhang and Sennrich 2019). */
        RMS
    }

    /** Feed-forward non-linearity. */
    public enum Activation {
        /** √(2/π)-tanh form of GELU (Hendrycks and Gimpel 2016, as in GPT-2): {@code gelu_new}. */
        GELU_TANH,
        /** {@code silu(gate)·up}, two projections of F each (Shazeer 2020): LLaMA, PaLM. */
        SWIGLU,
        /** {@code gelu(gate)·up} with the tanh form (Shazeer 2020): Gemma. */
        GEGLU;

        /** Whether the layer widens to a gate and to what it multiplies, 2F in all. */
        public boolean gated() {
            return this != GELU_TANH;
        }
    }

    /** How the two branches of a block meet the residual stream. */
    public enum BlockForm {
        /** {@code y = x + attention(norm(x))}, then {@code y + feedForward(norm(y))}. */
        SEQUENTIAL,
        /** {@code x + attention(norm(x)) + feedForward(norm(x))}, one norm (Chowdhery et al. 2022 §2, PaLM). */
        PARALLEL
    }

    /** Which linear layers, and norms of {@link Norm#LAYER}, have a bias. */
    public enum Biases {
        /** All (GPT-2). */
        ALL,
        /** The projection to queries, keys and values alone (Qwen2). */
        QUERY_KEY_VALUE,
        /** None (LLaMA, PaLM). */
        NONE
    }

    public TransformerConfig {
        require(vocabularySize >= 1, "vocabularySize must be at least 1", vocabularySize);
        require(contextLength >= 1, "contextLength must be at least 1", contextLength);
        require(layers >= 1, "layers must be at least 1", layers);
        require(heads >= 1, "heads must be at least 1", heads);
        require(width >= 1, "width must be at least 1", width);
        require(
                keyValueHeads >= 1 && heads % keyValueHeads == 0,
                "keyValueHeads must be a divisor of heads (" + heads + ")",
                keyValueHeads);
        require(headSize >= 1, "headSize must be at least 1", headSize);
        require(
                rotary == null || headSize % 2 == 0,
                "headSize must be even, as rotary positions turn pairs of channels",
                headSize);
        require(feedForwardWidth >= 1, "feedForwardWidth must be at least 1", feedForwardWidth);
        require(normEpsilon > 0 && normEpsilon < 1, "normEpsilon must lie in (0, 1)", normEpsilon);
        require(
                Double.isFinite(embeddingScale) && embeddingScale != 0,
                "embeddingScale must be finite and not 0",
                embeddingScale);
        require(dropout >= 0 && dropout < 1, "dropout must lie in [0, 1)", dropout);
        // the widest matrices in int: what sizes arrays elsewhere cannot overflow
        require(
                (heads + 2L * keyValueHeads) * headSize <= Integer.MAX_VALUE,
                "(heads + 2·keyValueHeads)·headSize must be below 2^31",
                (heads + 2L * keyValueHeads) * headSize);
        require(2L * feedForwardWidth <= Integer.MAX_VALUE, "feedForwardWidth must be below 2^30", feedForwardWidth);
    }

    private static void require(boolean rule, String message, Object value) {
        if (!rule) {
            throw new IllegalArgumentException(message + ", got " + value);
        }
    }

    /**
     * The choices of a config, to change some of them.
     *
     * <p>{@code TransformerConfig.llama(32_000, 2_048, 512, 8, 8).toBuilder().keyValueHeads(4).build()}
     */
    public static final class Builder {

        private int vocabularySize;
        private int contextLength;
        private int width;
        private int layers;
        private int heads;
        private int keyValueHeads;
        private int headSize;
        private int feedForwardWidth;
        private Norm norm;
        private double normEpsilon;
        private @Nullable Rotary rotary;
        private Activation activation;
        private BlockForm block;
        private Biases biases;
        private boolean tiedEmbeddings;
        private double embeddingScale;
        private double dropout;

        private Builder(TransformerConfig from) {
            vocabularySize = from.vocabularySize;
            contextLength = from.contextLength;
            width = from.width;
            layers = from.layers;
            heads = from.heads;
            keyValueHeads = from.keyValueHeads;
            headSize = from.headSize;
            feedForwardWidth = from.feedForwardWidth;
            norm = from.norm;
            normEpsilon = from.normEpsilon;
            rotary = from.rotary;
            activation = from.activation;
            block = from.block;
            biases = from.biases;
            tiedEmbeddings = from.tiedEmbeddings;
            embeddingScale = from.embeddingScale;
            dropout = from.dropout;
        }

        public Builder vocabularySize(int v) {
            vocabularySize = v;
            return this;
        }

        public Builder contextLength(int tokens) {
            contextLength = tokens;
            return this;
        }

        public Builder layers(int l) {
            layers = l;
            return this;
        }

        public Builder heads(int h) {
            heads = h;
            return this;
        }

        public Builder keyValueHeads(int k) {
            keyValueHeads = k;
            return this;
        }

        public Builder headSize(int d) {
            headSize = d;
            return this;
        }

        public Builder feedForwardWidth(int f) {
            feedForwardWidth = f;
            return this;
        }

        public Builder norm(Norm choice) {
            norm = choice;
            return this;
        }

        public Builder normEpsilon(double epsilon) {
            normEpsilon = epsilon;
            return this;
        }

        /** Null for learned positions. */
        public Builder rotary(@Nullable Rotary choice) {
            rotary = choice;
            return this;
        }

        public Builder activation(Activation choice) {
            activation = choice;
            return this;
        }

        public Builder block(BlockForm choice) {
            block = choice;
            return this;
        }

        public Builder biases(Biases choice) {
            biases = choice;
            return this;
        }

        public Builder tiedEmbeddings(boolean tied) {
            tiedEmbeddings = tied;
            return this;
        }

        public Builder embeddingScale(double factor) {
            embeddingScale = factor;
            return this;
        }

        public Builder dropout(double probability) {
            dropout = probability;
            return this;
        }

        /**
         * The config.
         *
         * @throws IllegalArgumentException when a choice breaks a rule of {@link TransformerConfig}
         */
        public TransformerConfig build() {
            return new TransformerConfig(
                    vocabularySize,
                    contextLength,
                    width,
                    layers,
                    heads,
                    keyValueHeads,
                    headSize,
                    feedForwardWidth,
                    norm,
                    normEpsilon,
                    rotary,
                    activation,
                    block,
                    biases,
                    tiedEmbeddings,
                    embeddingScale,
                    dropout);
        }
    }

    public Builder toBuilder() {
        return new Builder(this);
    }

    /** GPT-2 of this size (Radford et al. 2019): learned positions, pre-LayerNorm, GELU, tied embeddings, no dropout. */
    public static TransformerConfig gpt2(int vocabularySize, int contextLength, int width, int layers, int heads) {
        require(heads >= 1, "heads must be at least 1", heads);
        require(width >= 1 && width % heads == 0, "width must be a positive multiple of heads (" + heads + ")", width);
        return new TransformerConfig(
                vocabularySize,
                contextLength,
                width,
                layers,
                heads,
                heads,
                width / heads,
                4 * width,
                Norm.LAYER,
                1e-5,
                null,
                Activation.GELU_TANH,
                BlockForm.SEQUENTIAL,
                Biases.ALL,
                true,
                1,
                0);
    }

    /** GPT-2 small, 124M parameters. */
    public static TransformerConfig gpt2Small() {
        return gpt2(50257, 1024, 768, 12, 12);
    }

    /**
     * LLaMA of this size (Touvron et al. 2023): rotary positions of base 10,000, RMSNorm of ε 1e-5, SwiGLU of 8/3·C rounded up
     * to a multiple of 32, no biases, a head of its own. LLaMA 2 and 3, SmolLM2 and Mistral differ in sizes, key-value heads,
     * {@link Rotary} and tied embeddings.
     */
    public static TransformerConfig llama(int vocabularySize, int contextLength, int width, int layers, int heads) {
        return gpt2(vocabularySize, contextLength, width, layers, heads).toBuilder()
                .feedForwardWidth((8 * width / 3 + 31) / 32 * 32)
                .norm(Norm.RMS)
                .rotary(Rotary.of(10_000))
                .activation(Activation.SWIGLU)
                .biases(Biases.NONE)
                .tiedEmbeddings(false)
                .build();
    }

    /** Qwen2 of this size (Yang et al. 2024): {@link #llama} with biases of queries, keys and values and base 1,000,000. */
    public static TransformerConfig qwen2(int vocabularySize, int contextLength, int width, int layers, int heads) {
        return llama(vocabularySize, contextLength, width, layers, heads).toBuilder()
                .normEpsilon(1e-6)
                .rotary(Rotary.of(1_000_000))
                .biases(Biases.QUERY_KEY_VALUE)
                .tiedEmbeddings(true)
                .build();
    }

    /** Gemma of this size (Gemma Team 2024): {@link #llama} with GEGLU, tied embeddings, and embeddings times √C. */
    public static TransformerConfig gemma(int vocabularySize, int contextLength, int width, int layers, int heads) {
        return llama(vocabularySize, contextLength, width, layers, heads).toBuilder()
                .normEpsilon(1e-6)
                .activation(Activation.GEGLU)
                .tiedEmbeddings(true)
                .embeddingScale(Math.sqrt(width))
                .build();
    }

    /**
     * PaLM of this size (Chowdhery et al. 2022 §2): parallel blocks, multi-query attention, rotary positions, SwiGLU of 4·C,
     * LayerNorm, no biases, tied embeddings. Its z-loss is a choice of training,
     * {@code PretrainingConfig.withZLoss(PretrainingConfig.PALM_Z_LOSS)}.
     */
    public static TransformerConfig palm(int vocabularySize, int contextLength, int width, int layers, int heads) {
        return gpt2(vocabularySize, contextLength, width, layers, heads).toBuilder()
                .keyValueHeads(1)
                .rotary(Rotary.of(10_000))
                .activation(Activation.SWIGLU)
                .block(BlockForm.PARALLEL)
                .biases(Biases.NONE)
                .build();
    }

    public TransformerConfig withDropout(double probability) {
        return toBuilder().dropout(probability).build();
    }

    public TransformerConfig withFeedForwardWidth(int f) {
        return toBuilder().feedForwardWidth(f).build();
    }

    /** Heads of queries, keys and values. */
    @JsonIgnore
    public AttentionShape attention() {
        return new AttentionShape(heads, keyValueHeads, headSize);
    }

    /** Columns of the feed-forward layer's first projection: F, or 2F where it is gated. */
    @JsonIgnore
    public int widenedWidth() {
        return activation.gated() ? 2 * feedForwardWidth : feedForwardWidth;
    }
}
