package io.github.rlhf4j.transformer.training;

import java.util.OptionalDouble;

/**
 * How well a model predicts text it has not learned from.
 *
 * @param loss mean −log π(token) over the predicted tokens, nats
 * @param tokens predicted tokens
 * @param bytesPerToken UTF-8 bytes of text per token, or 0 when not known
 */
public record Evaluation(double loss, long tokens, double bytesPerToken) {

    /** exp of the loss. */
    public double perplexity() {
        return Math.exp(loss);
    }

    /** Bits per UTF-8 byte, which compares between tokenizers; empty when the bytes are not known. */
    public OptionalDouble bitsPerByte() {
        return bytesPerToken > 0 ? OptionalDouble.of(loss / Math.log(2) / bytesPerToken) : OptionalDouble.empty();
    }
}
