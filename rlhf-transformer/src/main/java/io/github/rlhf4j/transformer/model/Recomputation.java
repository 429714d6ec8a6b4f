package io.github.rlhf4j.transformer.model;

/**
 * What a pass that goes backward computes twice in order to keep less. A choice of the run and not of the model: gradients
 * are the same, to the last bit.
 */
public enum Recomputation {
    /** Each block keeps its activations, 6C + F numbers a token and layer: 10C in GPT-2. */
    NONE,
    /**
     * Each block keeps its input alone, C numbers a token and layer, and the backward pass computes the rest again, all but
     * the block's last product (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost"). By arithmetic a step takes a
     * quarter longer; measured, a fifth (docs/memory.md).
     */
    BLOCKS
}
