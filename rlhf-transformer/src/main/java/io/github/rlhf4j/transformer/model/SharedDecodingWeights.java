package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.kernels.WeightFormat;
import java.lang.ref.SoftReference;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The packed weights that all decoding sessions of a model share. They are packed anew when a session opens while no other
 * is open and the model has changed since: between sessions training may change it, during one it must not. Between sessions
 * they are kept as long as there is memory enough.
 */
public final class SharedDecodingWeights {

    private final Transformer model;
    private final LongSupplier changes;
    private final Kernels kernels;
    private final WeightFormat format;
    private SoftReference<DecodingWeights> kept = new SoftReference<>(null);
    private @Nullable DecodingWeights inUse;
    private int sessions;

    /** Of the model, when the weights were packed. */
    private long version;

    /**
     * For sessions on this model.
     *
     * @param changes equal at two times if the model's parameters did not change between them, see {@link
     *     ParameterStore#version}
     */
    public SharedDecodingWeights(Transformer model, LongSupplier changes, Kernels kernels, WeightFormat format) {
        this.model = model;
        this.changes = changes;
        this.kernels = kernels;
        this.format = format;
    }

    synchronized DecodingWeights take() {
        DecodingWeights weights = inUse;
        if (weights == null) {
            weights = packed();
            inUse = weights;
        }
        sessions++;
        return weights;
    }

    private DecodingWeights packed() {
        DecodingWeights known = kept.get();
        if (known == null) {
            known = DecodingWeights.of(model, kernels, format);
            kept = new SoftReference<>(known);
        } else if (version != changes.getAsLong()) {
            known.refresh();
        }
        version = changes.getAsLong();
        return known;
    }

    synchronized void giveBack() {
        if (--sessions == 0) {
            inUse = null;
        }
    }
}
