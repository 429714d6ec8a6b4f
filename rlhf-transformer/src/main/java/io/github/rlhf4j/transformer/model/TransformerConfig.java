package io.github.rlhf4j.transformer.model;

import com.fasterxml.jackson.annotation.JsonIgnore;

/**
 * The shape of a transformer, as orthogonal choices; a family is a preset of them.
 *
 * @param vocabularySize V, ≥ 1
 * @param contextLength the most tokens a sequence may have, ≥ 1
 * @param width C, a multiple of {@code heads}
 * @param layers L, ≥ 1
 * @param heads H, ≥ 1
 * @param feedForwardWidth F, ≥ 1; 4·C in GPT-2
 * @param norm the normalisation
 * @param normEpsilon added inside the root; 1e-5 in GPT-2
 * @param positions how a token knows where it stands
 * @param activation the feed-forward layer's non-linearity
 * @param tiedEmbeddings whether the token head is the transposed token embedding; must be true, for there is no head of
 *     its own yet
 * @param dropout probability in [0, 1) that an activation is dropped in training, at GPT-2's places (embedding, and each
 *     residual branch)
 */
public record TransformerConfig(
        int vocabularySize,
        int contextLength,
        int width,
        int layers,
        int heads,
        int feedForwardWidth,
        Norm norm,
        double normEpsilon,
        Positions positions,
        Activation activation,
        boolean tiedEmbeddings,
        double dropout) {

    /** Normalisation before each block and at the end. */
    public enum Norm {
        /** Mean and variance, gain and bias (Ba et al. 2016). */
        LAYER
    }

    /** Position information. */
    public enum Positions {
        /** A learned vector for each position, added to the token's (GPT-2). */
        LEARNED
    }

    /** Feed-forward non-linearity. */
    public enum Activation {
        /** √(2/π)-tanh form of GELU (Hendrycks and Gimpel 2016, as in GPT-2): {@code gelu_new}. */
        GELU_TANH
    }

    public TransformerConfig {
        require(vocabularySize >= 1, "vocabularySize must be at least 1", vocabularySize);
        require(contextLength >= 1, "contextLength must be at least 1", contextLength);
        require(layers >= 1, "layers must be at least 1", layers);
        require(heads >= 1, "heads must be at least 1", heads);
        require(width >= 1 && width % heads == 0, "width must be a positive multiple of heads (" + heads + ")", width);
        require(feedForwardWidth >= 1, "feedForwardWidth must be at least 1", feedForwardWidth);
        require(normEpsilon > 0 && normEpsilon < 1, "normEpsilon must lie in (0, 1)", normEpsilon);
        require(
                tiedEmbeddings,
                "tiedEmbeddings must be true: the token head is the transposed token embedding, a head with weights of its"
                        + " own is not built",
                tiedEmbeddings);
        require(dropout >= 0 && dropout < 1, "dropout must lie in [0, 1)", dropout);
    }

    private static void require(boolean rule, String message, Object value) {
        if (!rule) {
            throw new IllegalArgumentException(message + ", got " + value);
        }
    }

    /** GPT-2 of this size (Radford et al. 2019): learned positions, pre-LayerNorm, GELU, tied embeddings, no dropout. */
    public static TransformerConfig gpt2(int vocabularySize, int contextLength, int width, int layers, int heads) {
        return new TransformerConfig(
                vocabularySize,
                contextLength,
                width,
                layers,
                heads,
                4 * width,
                Norm.LAYER,
                1e-5,
                Positions.LEARNED,
                Activation.GELU_TANH,
                true,
                0.0);
    }

    /** GPT-2 small, 124M parameters. */
    public static TransformerConfig gpt2Small() {
        return gpt2(50257, 1024, 768, 12, 12);
    }

    public TransformerConfig withDropout(double probability) {
        return new TransformerConfig(
                vocabularySize,
                contextLength,
                width,
                layers,
                heads,
                feedForwardWidth,
                norm,
                normEpsilon,
                positions,
                activation,
                tiedEmbeddings,
                probability);
    }

    public TransformerConfig withFeedForwardWidth(int f) {
        return new TransformerConfig(
                vocabularySize,
                contextLength,
                width,
                layers,
                heads,
                f,
                norm,
                normEpsilon,
                positions,
                activation,
                tiedEmbeddings,
                dropout);
    }

    /** D, the width of one attention head. */
    @JsonIgnore
    public int headSize() {
        return width / heads;
    }
}
