package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.kernels.WeightFormat;
import java.lang.ref.SoftReference;
import org.jspecify.annotations.Nullable;

/**
 * The packed weights that all decoding sessions of a model share. They are packed anew when a session opens while no other
 * is open: between sessions training may have changed the model, during one it must not. Between sessions the memory is
 * kept as long as there is enough of it.
 */
public final class SharedDecodingWeights {

    private final Transformer model;
    private final Kernels kernels;
    private final WeightFormat format;
    private SoftReference<DecodingWeights> kept = new SoftReference<>(null);
    private @Nullable DecodingWeights inUse;
    private int sessions;

    /** For sessions on this model. */
    public SharedDecodingWeights(Transformer model, Kernels kernels, WeightFormat format) {
        this.model = model;
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
        } else {
            known.refresh();
        }
        return known;
    }

    synchronized void giveBack() {
        if (--sessions == 0) {
            inUse = null;
        }
    }
}
