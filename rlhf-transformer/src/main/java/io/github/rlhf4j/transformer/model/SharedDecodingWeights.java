package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.kernels.WeightFormat;
import java.lang.ref.SoftReference;
import org.jspecify.annotations.Nullable;

/**
 * The packed weights that all decoding sessions of a model share. They are packed anew when a session opens while no other
 * is open and the model has changed since: between sessions training may change it, during one it must not. Between sessions
 * they are kept as long as there is memory enough.
 */
public final class SharedDecodingWeights {

    private final Transformer model;
    private final ParameterStore store;
    private final Kernels kernels;
    private final WeightFormat format;
    private SoftReference<DecodingWeights> kept = new SoftReference<>(null);
    private @Nullable DecodingWeights inUse;
    private int sessions;

    /** Of the store, when the weights were packed. */
    private long version;

    /** For sessions on this model, whose parameters are in the store. */
    public SharedDecodingWeights(Transformer model, ParameterStore store, Kernels kernels, WeightFormat format) {
        this.model = model;
        this.store = store;
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
        } else if (version != store.version()) {
            known.refresh();
        }
        version = store.version();
        return known;
    }

    synchronized void giveBack() {
        if (--sessions == 0) {
            inUse = null;
        }
    }
}
