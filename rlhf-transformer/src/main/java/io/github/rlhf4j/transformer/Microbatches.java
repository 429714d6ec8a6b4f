package io.github.rlhf4j.transformer;

import io.github.rlhf4j.transformer.model.TransformerConfig;

/** How many tokens go through a model at once when it only infers. */
final class Microbatches {

    private static final int FEWEST_TOKENS = 1024;
    private static final int MOST_TOKENS = 8192;

    /** Numbers in the widest activation of an inference pass: what keeps its memory small beside the weights. */
    private static final int WIDEST = 1 << 22;

    private Microbatches() {}

    /** Tokens of an inference pass, enough for products to be fast; a longer sequence goes alone. */
    static int tokens(TransformerConfig config) {
        return Math.max(FEWEST_TOKENS, Math.min(MOST_TOKENS, WIDEST / config.feedForwardWidth()));
    }
}
