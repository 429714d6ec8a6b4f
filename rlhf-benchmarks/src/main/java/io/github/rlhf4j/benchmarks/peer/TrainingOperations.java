package io.github.rlhf4j.benchmarks.peer;

import io.github.rlhf4j.transformer.model.TransformerConfig;
import java.util.Arrays;

/**
 * Floating-point operations of a training step, those of matrix products only, a multiplication and an addition counted as
 * two (Chowdhery et al. 2022, "PaLM", appendix B, with attention counted as causal and the token head where it is scored).
 * The backward pass costs twice the forward pass; what is computed again is not counted.
 */
final class TrainingOperations {

    private TrainingOperations() {}

    /** Operations of one step on texts of these lengths, all tokens of which are scored but the first. */
    static double perStep(TransformerConfig shape, int... lengths) {
        double tokens = Arrays.stream(lengths).sum();
        double scored = tokens - lengths.length;
        double c = shape.width();
        double weights = shape.layers() * (4 * c * c + 2 * c * shape.feedForwardWidth());
        double pairs =
                Arrays.stream(lengths).mapToDouble(t -> t * (t + 1.0) / 2).sum();
        double forward =
                2 * tokens * weights + 2 * scored * c * shape.vocabularySize() + 4 * pairs * c * shape.layers();
        return 3 * forward;
    }
}
