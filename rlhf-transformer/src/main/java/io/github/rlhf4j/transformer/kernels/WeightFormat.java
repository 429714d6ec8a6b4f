package io.github.rlhf4j.transformer.kernels;

/** How the weights of linear layers are held: packed ones for decoding, and those of a frozen base. */
public enum WeightFormat {

    /** As they are: 4 bytes a weight. */
    FLOAT32,

    /**
     * One byte a weight, symmetric, with a scale for each output channel: {@code w ≈ scale·q}, {@code q = round(w/scale)} in
     * −127 … 127, {@code scale = max |w| / 127} over the channel's weights. The bias stays as it is.
     */
    INT8
}
