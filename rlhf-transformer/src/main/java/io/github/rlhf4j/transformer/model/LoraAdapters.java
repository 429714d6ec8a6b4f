package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.kernels.Kernels;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The low-rank adapters of a model: small matrices in a store of their own, beside weights that stay as they are. */
public final class LoraAdapters {

    private final @Nullable LoraConfig lora;
    private final List<LoraPlace> places;
    private final @Nullable ParameterStore store;

    private LoraAdapters(@Nullable LoraConfig lora, List<LoraPlace> places, @Nullable ParameterStore store) {
        this.lora = lora;
        this.places = places;
        this.store = store;
    }

    /** No adapters at all. */
    static LoraAdapters none() {
        return new LoraAdapters(null, List.of(), null);
    }

    /**
     * Adapters over the parameters of {@code store}, which {@link #declare} declared.
     *
     * @throws IllegalArgumentException when the model lacks a target
     */
    public static LoraAdapters of(TransformerConfig config, LoraConfig lora, ParameterStore store) {
        return new LoraAdapters(lora, LoraPlace.of(config, lora), store);
    }

    /**
     * Declares A and B of all places.
     *
     * @throws IllegalArgumentException when the model lacks a target
     */
    public static ParameterStore.Builder declare(TransformerConfig config, LoraConfig lora) {
        ParameterStore.Builder builder = new ParameterStore.Builder();
        for (LoraPlace place : LoraPlace.of(config, lora)) {
            builder.matrix(place.a(), place.inputs(), lora.rank());
            builder.matrix(place.b(), lora.rank(), place.count());
        }
        return builder;
    }

    /** A from U(−1/√inputs, 1/√inputs), as PEFT draws it, and B zero: the adapted model begins as the frozen one. */
    public void initialize(RandomKey key) {
        for (LoraPlace place : places) {
            ParameterStore all = Objects.requireNonNull(store);
            Initialization.uniform(all.get(place.a()), 1 / Math.sqrt(place.inputs()), key);
            all.get(place.b()).value().assign(0);
        }
    }

    /** Those of a linear layer. */
    List<Adapter> of(String linear, Kernels kernels) {
        List<Adapter> adapters = new ArrayList<>();
        for (LoraPlace place : places) {
            if (place.linear().equals(linear) && lora != null && store != null) {
                adapters.add(new Adapter(store.get(place.a()), store.get(place.b()), place, lora.scale(), kernels));
            }
        }
        return adapters;
    }

    /** The dropout of what A reads. */
    double dropout() {
        return lora == null ? 0 : lora.dropout();
    }
}
