package io.github.rlhf4j.transformer.model;

import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A named view of the flat buffers of a {@link ParameterStore}.
 *
 * @param name as Hugging Face names it, {@code "transformer.h.0.attn.c_attn.weight"}
 * @param shape one or two dimensions
 * @param offset of its first element in the flat buffers
 * @param decayed whether weight decay applies: matrices yes; biases, gains and scalar heads' biases no
 * @param value view of the values
 * @param gradient view of the gradients, to be added to
 */
public record Parameter(String name, long[] shape, long offset, boolean decayed, INDArray value, INDArray gradient) {

    /** Number of elements. */
    public long length() {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }

    @Override
    public boolean equals(Object o) {
        return this == o;
    }

    @Override
    public int hashCode() {
        return name.hashCode();
    }

    @Override
    public String toString() {
        return name + Arrays.toString(shape);
    }
}
