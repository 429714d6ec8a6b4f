package io.github.rlhf4j.transformer;

import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.files.FlatState;
import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.kernels.PackedTokens;
import io.github.rlhf4j.transformer.kernels.WeightFormat;
import io.github.rlhf4j.transformer.model.CachedDecoder;
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
        this.config = config;
        this.optimizerConfig = optimizerConfig;
        this.store = store;
        this.kernels = kernels;
        this.trunk = new Transformer(config, store, kernels);
        for (WeightFormat format : WeightFormat.values()) {
            decodingWeights.put(format, new SharedDecodingWeights(trunk, store, kernels, format));
        }
        this.trainingArena = new Arena(store.dataType());
    }

    TransformerConfig config() {
        return config;
    }

    AdamWConfig optimizerConfig() {
        return optimizerConfig;
    }

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
        return new TrainingPass(this);
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
        AdamW known = optimizer;
        if (known == null) {
            known = new AdamW(optimizerConfig, store, kernels);
            optimizer = known;
        }
        return known;
    }

    /** Parameters, both moments and the step count, to the same bits. */
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
