package io.github.rlhf4j.transformer;

import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.files.FlatState;
import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.Int8Matrix;
import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.kernels.PackedTokens;
import io.github.rlhf4j.transformer.kernels.WeightFormat;
import io.github.rlhf4j.transformer.model.CachedDecoder;
import io.github.rlhf4j.transformer.model.LoraAdapters;
import io.github.rlhf4j.transformer.model.LoraConfig;
import io.github.rlhf4j.transformer.model.Parameter;
import io.github.rlhf4j.transformer.model.ParameterStore;
import io.github.rlhf4j.transformer.model.Recomputation;
import io.github.rlhf4j.transformer.model.SharedDecodingWeights;
import io.github.rlhf4j.transformer.model.Transformer;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamW;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What every model here is made of: parameters, trunk, optimiser (from the first update on) and memory. */
final class ModelCore implements AutoCloseable {

    private static final String STATE_FILE = "state.safetensors";

    private final TransformerConfig config;
    private final AdamWConfig optimizerConfig;
    private final ParameterStore store;
    private final ParameterStore weights;
    private final @Nullable LoraConfig lora;
    private final Kernels kernels;
    private final Transformer trunk;
    private final Map<WeightFormat, SharedDecodingWeights> decodingWeights = new EnumMap<>(WeightFormat.class);
    private final Arena trainingArena;
    private final ConcurrentLinkedDeque<Arena> inferenceArenas = new ConcurrentLinkedDeque<>();
    private Recomputation recomputation = Recomputation.NONE;
    private @Nullable AdamW optimizer;

    ModelCore(TransformerConfig config, AdamWConfig optimizerConfig, ParameterStore store) {
        this(config, optimizerConfig, store, Kernels.select(store.dataType()));
    }

    ModelCore(TransformerConfig config, AdamWConfig optimizerConfig, ParameterStore store, Kernels kernels) {
        this(config, optimizerConfig, store, store, null, new Transformer(config, store, kernels), kernels);
    }

    /**
     * @param store what is trained and saved as state
     * @param weights what the trunk's matrices are read from: the same store, or a frozen one beside adapters
     */
    private ModelCore(
            TransformerConfig config,
            AdamWConfig optimizerConfig,
            ParameterStore store,
            ParameterStore weights,
            @Nullable LoraConfig lora,
            Transformer trunk,
            Kernels kernels) {
        this.config = config;
        this.optimizerConfig = optimizerConfig;
        this.store = store;
        this.weights = weights;
        this.lora = lora;
        this.kernels = kernels;
        this.trunk = trunk;
        for (WeightFormat format : WeightFormat.values()) {
            decodingWeights.put(format, new SharedDecodingWeights(trunk, this::version, kernels, format));
        }
        this.trainingArena = new Arena(store.dataType());
    }

    /**
     * Adapters, and nothing else that is trained, on this model's memory, which stays this model's.
     *
     * @param scalarHead whether a scalar head, zero, is declared beside the adapters, to be trained with them
     * @throws IllegalStateException when this model has adapters already
     * @throws IllegalArgumentException when the model lacks a target
     */
    ModelCore adapted(LoraConfig config, AdamWConfig optimizer, boolean scalarHead, long seed) {
        if (lora != null) {
            throw new IllegalStateException("this model has adapters already (" + lora
                    + "); merged() makes a model without, which can be adapted");
        }
        ParameterStore.Builder declared = LoraAdapters.declare(this.config, config);
        if (scalarHead) {
            declared.matrix(ScalarHead.NAME, 1, this.config.width());
        }
        ParameterStore trained = declared.allocate(store.dataType());
        LoraAdapters adapters = LoraAdapters.of(this.config, config, trained);
        adapters.initialize(RandomKey.of(seed).child("adapters"));
        ParameterStore frozen = weights.frozen();
        Transformer adaptedTrunk = new Transformer(this.config, frozen, adapters, kernels);
        ModelCore core = new ModelCore(this.config, optimizer, trained, frozen, config, adaptedTrunk, kernels);
        core.setRecomputation(recomputation);
        return core;
    }

    private long version() {
        return weights == store ? store.version() : weights.version() + store.version();
    }

    /** Null for a model without adapters. */
    @Nullable
    LoraConfig lora() {
        return lora;
    }

    LoraConfig requireLora() {
        if (lora == null) {
            throw new IllegalStateException("this model has no adapters; withLora makes one that has");
        }
        return lora;
    }

    /**
     * Sets those parameters of {@code target} that this model has, adapters merged.
     *
     * @param target with at least the trunk's parameters
     */
    void copyWeightsTo(ParameterStore target) {
        for (Parameter parameter : target.parameters()) {
            ParameterStore source = store.contains(parameter.name()) ? store : weights;
            Int8Matrix rounded = source.int8(parameter.name());
            if (rounded != null) {
                rounded.copyTo(parameter.value());
            } else if (source.contains(parameter.name())) {
                parameter.value().assign(source.get(parameter.name()).value());
            }
        }
        trunk.mergeAdaptersInto(target);
    }

    /**
     * Sets the weights of {@code target}, which has int8 ones, to those of this model, which has neither these nor adapters.
     */
    void roundWeightsTo(ParameterStore target) {
        for (String name : target.shapes().keySet()) {
            if (target.int8(name) == null) {
                target.get(name).value().assign(weights.get(name).value());
            } else {
                target.round(name, weights.get(name).value());
            }
        }
        target.changed();
    }

    /** Whether the weights are held as int8, its own or those below adapters. */
    boolean hasInt8() {
        return weights.hasInt8();
    }

    TransformerConfig config() {
        return config;
    }

    AdamWConfig optimizerConfig() {
        return optimizerConfig;
    }

    /** What is trained: all parameters, or adapters and a head beside them. */
    ParameterStore store() {
        return store;
    }

    Kernels kernels() {
        return kernels;
    }

    Transformer trunk() {
        return trunk;
    }

    /** Memory of the passes that go backward; one thread. */
    Arena trainingArena() {
        return trainingArena;
    }

    Recomputation recomputation() {
        return recomputation;
    }

    void setRecomputation(Recomputation choice) {
        recomputation = choice;
    }

    /** Opens a pass that goes backward; passes are closed in the reverse order of their opening. */
    TrainingPass openPass() {
        requireTrainable();
        return new TrainingPass(this);
    }

    private void requireTrainable() {
        if (store.isFrozen()) {
            throw new IllegalStateException(
                    "int8 weights are frozen, this model cannot be trained; withLora gives one of"
                            + " adapters on it that can, copy() one in float");
        }
    }

    /** Forgets what backward passes have added up since the last update. */
    void discardGradients() {
        store.clearGradients();
    }

    /** Runs {@code work} with an arena of its own, so that several threads may infer at once. */
    <T> T infer(Function<Arena, T> work) {
        Arena arena = borrowArena();
        Arena.Mark mark = arena.mark();
        try {
            return work.apply(arena);
        } finally {
            arena.release(mark);
            inferenceArenas.push(arena);
        }
    }

    /** Bytes of all arenas that are not lent out. */
    long arenaBytes() {
        long elements = trainingArena.capacity()
                + inferenceArenas.stream().mapToLong(Arena::capacity).sum();
        return elements * store.dataType().width();
    }

    /** How often the arenas that are not lent out have asked for memory. */
    long arenaAllocations() {
        return trainingArena.allocations()
                + inferenceArenas.stream().mapToLong(Arena::allocations).sum();
    }

    CachedDecoder openSession(WeightFormat format) {
        Arena arena = borrowArena();
        Arena.Mark mark = arena.mark();
        return new CachedDecoder(trunk, kernels, arena, decodingWeights.get(format), () -> {
            arena.release(mark);
            inferenceArenas.push(arena);
        });
    }

    private Arena borrowArena() {
        Arena free = inferenceArenas.poll();
        return free == null ? new Arena(store.dataType()) : free;
    }

    /** The trunk's forward pass on the training arena. */
    Transformer.Pass forward(PackedTokens packed, @Nullable List<RandomKey> dropout) {
        return trunk.forward(packed, dropout, recomputation, trainingArena);
    }

    UpdateReport update(double learningRate) {
        return optimizer().update(learningRate);
    }

    private AdamW optimizer() {
        requireTrainable();
        AdamW known = optimizer;
        if (known == null) {
            known = new AdamW(optimizerConfig, store, kernels);
            optimizer = known;
        }
        return known;
    }

    /** What is trained, both moments and the step count, to the same bits. */
    void saveState(Path directory) throws IOException {
        FlatState.write(
                directory.resolve(STATE_FILE),
                buffers(),
                Map.of("steps", optimizer().steps()));
    }

    void restoreState(Path directory) throws IOException {
        Map<String, Long> counters;
        try {
            counters = FlatState.read(directory.resolve(STATE_FILE), buffers());
        } finally {
            store.changed(); // a file that breaks off may have been read in part
        }
        Long steps = counters.get("steps");
        if (steps == null) {
            throw new IOException(directory.resolve(STATE_FILE) + " has no counter 'steps'; it is not a model's state");
        }
        optimizer().restoreSteps(steps);
        store.clearGradients();
    }

    private Map<String, INDArray> buffers() {
        Map<String, INDArray> buffers = new LinkedHashMap<>();
        buffers.put("parameters", store.values());
        buffers.put("optimizer.m", optimizer().firstMoment());
        buffers.put("optimizer.v", optimizer().secondMoment());
        return buffers;
    }

    @Override
    public void close() {
        if (optimizer != null) {
            optimizer.close();
        }
        trainingArena.close();
        inferenceArenas.forEach(Arena::close);
        inferenceArenas.clear();
        store.close();
    }
}
