package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.core.TokenBudget;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.transformer.generation.DecodingSession;
import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.kernels.KeyValueCache;
import io.github.rlhf4j.transformer.kernels.PackedTokens;
import io.github.rlhf4j.transformer.kernels.Rows;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Incremental decoding: keys and values of all earlier tokens are kept, so that a new token costs one row through the
 * network. Equal, up to rounding, to running the whole sequence each time.
 */
public final class CachedDecoder implements DecodingSession {

    /** Prompt tokens that go through the network together. */
    public static final int PREFILL_TOKENS = 8192;

    private final Transformer model;
    private final Kernels kernels;
    private final Arena arena;
    private final SharedDecodingWeights shared;
    private final DecodingWeights weights;
    private final Runnable onClose;
    private final List<KeyValueCache> caches = new ArrayList<>();
    private final StartedPrompts started = new StartedPrompts();
    private final List<float[]> logitRows = new ArrayList<>();

    /** Tokens of each sequence so far. */
    private int[] lengths = new int[0];

    private boolean closed;

    /**
     * A session on a model.
     *
     * @param arena memory of this session; not closed by it
     * @param shared weights packed for sessions on this model
     * @param onClose run when the session closes, for example to give the arena back
     */
    public CachedDecoder(
            Transformer model, Kernels kernels, Arena arena, SharedDecodingWeights shared, Runnable onClose) {
        this.model = model;
        this.kernels = kernels;
        this.arena = arena;
        this.shared = shared;
        this.weights = shared.take();
        this.onClose = onClose;
        for (int layer = 0; layer < model.config().layers(); layer++) {
            caches.add(kernels.keyValueCache(model.config().attention(), arena.dataType()));
        }
    }

    @Override
    public int contextLength() {
        return model.config().contextLength();
    }

    @Override
    public float[][] start(List<TokenSequence> prompts) {
        int first = lengths.length;
        lengths = Arrays.copyOf(lengths, first + prompts.size());
        for (int i = 0; i < prompts.size(); i++) {
            lengths[first + i] = prompts.get(i).length();
        }
        Map<TokenSequence, Integer> fresh = new LinkedHashMap<>();
        for (int i = 0; i < prompts.size(); i++) {
            if (started.find(prompts.get(i)) == null) {
                fresh.putIfAbsent(prompts.get(i), first + i);
            }
        }
        prefill(List.copyOf(fresh.keySet()), List.copyOf(fresh.values()));
        for (int i = 0; i < prompts.size(); i++) {
            shareKeysAndValues(first + i, Objects.requireNonNull(started.find(prompts.get(i))));
        }
        return firstLogits(prompts);
    }

    private void shareKeysAndValues(int sequence, StartedPrompts.Started prompt) {
        if (!prompt.sequences().contains(sequence)) {
            for (KeyValueCache cache : caches) {
                cache.share(prompt.anySequence(), prompt.prompt().length(), sequence);
            }
            started.join(prompt, sequence);
        }
    }

    private void prefill(List<TokenSequence> prompts, List<Integer> sequences) {
        for (TokenBudget.Range range :
                TokenBudget.ranges(prompts.size(), i -> prompts.get(i).length(), PREFILL_TOKENS)) {
            prefillTogether(prompts.subList(range.from(), range.to()), sequences.subList(range.from(), range.to()));
        }
    }

    private void prefillTogether(List<TokenSequence> prompts, List<Integer> sequences) {
        Arena.Mark mark = arena.mark();
        PackedTokens packed = PackedTokens.of(
                prompts, model.config().vocabularySize(), model.config().contextLength());
        int[] sequenceOfRow = new int[packed.rows()];
        for (int i = 0; i < prompts.size(); i++) {
            Arrays.fill(sequenceOfRow, packed.start(i), packed.start(i + 1), sequences.get(i));
        }
        int[] last = prompts.stream().mapToInt(prompt -> prompt.length() - 1).toArray();
        INDArray hidden = model.infer(
                packed.tails(last),
                (layer, qkv) -> caches.get(layer).append(qkv, sequenceOfRow, packed.positions(), arena),
                arena);
        for (int i = 0; i < prompts.size(); i++) {
            started.add(prompts.get(i), Rows.slice(hidden, i, i + 1).dup('c'), sequences.get(i));
        }
        arena.release(mark);
    }

    /** A row for each prompt; the same one for equal prompts. */
    private float[][] firstLogits(List<TokenSequence> prompts) {
        List<TokenSequence> distinct = prompts.stream().distinct().toList();
        Arena.Mark mark = arena.mark();
        INDArray hidden = arena.take(distinct.size(), model.config().width());
        for (int i = 0; i < distinct.size(); i++) {
            INDArray last =
                    Objects.requireNonNull(started.find(distinct.get(i))).hidden();
            Rows.slice(hidden, i, i + 1).assign(last);
        }
        float[][] rows = new float[distinct.size()][model.config().vocabularySize()];
        weights.head().apply(hidden, rows, arena);
        arena.release(mark);
        Map<TokenSequence, float[]> byPrompt = new HashMap<>();
        for (int i = 0; i < rows.length; i++) {
            byPrompt.put(distinct.get(i), rows[i]);
        }
        return prompts.stream().map(byPrompt::get).toArray(float[][]::new);
    }

    @Override
    public float[][] advance(int[] sequences, int[] tokens) {
        checkRoom(sequences, tokens);
        int[] positions = new int[sequences.length];
        for (int i = 0; i < sequences.length; i++) {
            positions[i] = lengths[sequences[i]]++;
        }
        Arena.Mark mark = arena.mark();
        INDArray x = model.embed(tokens, positions, arena);
        for (Block block : model.blocks()) {
            Arena.Mark before = arena.mark();
            decode(block, x, sequences, positions);
            arena.release(before);
        }
        float[][] logits = logits(model.finalNorm().forward(x, arena).out());
        arena.release(mark);
        return logits;
    }

    private void checkRoom(int[] sequences, int[] tokens) {
        for (int i = 0; i < sequences.length; i++) {
            if (lengths[sequences[i]] >= contextLength()) {
                throw new IllegalArgumentException("sequence " + sequences[i] + " already has " + contextLength()
                        + " tokens, the whole context; it cannot grow");
            }
            if (tokens[i] < 0 || tokens[i] >= model.config().vocabularySize()) {
                throw new IllegalArgumentException("token " + tokens[i] + " is outside the vocabulary of "
                        + model.config().vocabularySize());
            }
        }
    }

    /** As {@link Block#forward}, for one new row of each sequence. */
    private void decode(Block block, INDArray x, int[] sequences, int[] positions) {
        KeyValueCache cache = caches.get(block.index());
        DecodingWeights.OfBlock packed = weights.blocks().get(block.index());
        INDArray normalized = block.norm1.forward(x, arena).out();
        INDArray qkv = arena.take(x.size(0), model.config().attention().rowWidth());
        packed.project().apply(normalized, qkv, arena);
        block.attention.rotate(qkv, positions, arena);
        cache.append(qkv, sequences, positions, arena);
        INDArray mixed = arena.take(x.size(0), model.config().attention().queryWidth());
        cache.attend(qkv, sequences, positions, mixed, arena);
        packed.output().addTo(x, mixed, arena);
        INDArray wide = arena.take(x.size(0), model.config().widenedWidth());
        packed.widen().apply(block.feedForwardInput(x, normalized, arena), wide, arena);
        packed.narrow().addTo(x, block.feedForward.activate(wide, arena), arena);
    }

    /** Into rows that the session keeps. */
    private float[][] logits(INDArray hidden) {
        int count = (int) hidden.size(0);
        for (int i = logitRows.size(); i < count; i++) {
            logitRows.add(new float[model.config().vocabularySize()]);
        }
        float[][] rows = logitRows.subList(0, count).toArray(float[][]::new);
        weights.head().apply(hidden, rows, arena);
        return rows;
    }

    @Override
    public void release(int sequence) {
        started.leave(sequence);
        caches.forEach(cache -> cache.release(sequence));
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            caches.forEach(KeyValueCache::close);
            shared.giveBack();
            onClose.run();
        }
    }
}
