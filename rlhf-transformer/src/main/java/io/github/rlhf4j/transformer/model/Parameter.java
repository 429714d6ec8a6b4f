package io.github.rlhf4j.transformer.model;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A named view of the flat buffers of a {@link ParameterStore}. */
public final class Parameter {

    private final ParameterStore store;
    private final String name;
    private final long[] shape;
    private final long offset;
    private final boolean decayed;
    private final INDArray value;
    private @Nullable INDArray gradient;

    Parameter(ParameterStore store, String name, long[] shape, long offset, boolean decayed) {
        this.store = store;
        this.name = name;
        this.shape = shape;
        this.offset = offset;
        this.decayed = decayed;
        this.value = ParameterStore.view(store.values(), offset, shape);
    }

    /** As Hugging Face names it in GPT-2, {@code "transformer.h.0.attn.c_attn.weight"}, whatever the family. */
    public String name() {
        return name;
    }

    /** One or two dimensions; not to be changed. */
    public long[] shape() {
        return shape;
    }

    /** Of its first element in the flat buffers. */
    public long offset() {
        return offset;
    }

    /** Whether weight decay applies: matrices yes; biases, gains and scalar heads' biases no. */
    public boolean decayed() {
        return decayed;
    }

    /** View of the values. */
    public INDArray value() {
        return value;
    }

    /**
     * View of the gradients, to be added to; the first call of all allocates {@link ParameterStore#gradients()}.
     *
     * @throws IllegalStateException when the store is frozen
     */
    public INDArray gradient() {
        INDArray known = gradient;
        if (known == null) {
            known = ParameterStore.view(store.gradients(), offset, shape);
            gradient = known;
        }
        return known;
    }

    /** As {@link #gradient()}; null where the store is frozen and nothing is to be added up. */
    public @Nullable INDArray trainedGradient() {
        return store.isFrozen() ? null : gradient();
    }

    /** The values of a parameter that a layer may lack. */
    static @Nullable INDArray value(@Nullable Parameter parameter) {
        return parameter == null ? null : parameter.value();
    }

    /** Where gradients go to: null for a parameter that a layer lacks, or that is not trained. */
    static @Nullable INDArray gradient(@Nullable Parameter parameter) {
        return parameter == null ? null : parameter.trainedGradient();
    }

    /** Number of elements. */
    public long length() {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }

    @Override
    public String toString() {
        return name + Arrays.toString(shape);
    }
}
