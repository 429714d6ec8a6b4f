package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.transformer.generation.DecodingSession;
import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.kernels.KeyValueCache;
import io.github.rlhf4j.transformer.kernels.PackedTokens;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Incremental decoding: keys and values of all earlier tokens are kept, so that a new token costs one row through the
 * network. Equal, up to rounding, to running the whole sequence each time.
 */
public final class CachedDecoder implements DecodingSession {

    /** Prompt tokens that go through the network together. */
    private static final int PREFILL_TOKENS = 8192;

    private final Transformer model;
    private final Kernels kernels;
    private final Arena arena;
    private final SharedDecodingWeights shared;
    private final DecodingWeights weights;
    private final Runnable onClose;
    private final List<KeyValueCache> caches = new ArrayList<>();
    private int[] lengths = new int[0];

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
    }

    @Override
    public int contextLength() {
        return model.config().contextLength();
    }

    @Override
    public float[][] start(List<TokenSequence> prompts) {
        if (lengths.length > 0) {
            throw new IllegalStateException("a session starts its sequences once; open another one");
        }
        TransformerConfig config = model.config();
        for (int layer = 0; layer < config.layers(); layer++) {
            caches.add(kernels.keyValueCache(prompts.size(), config.heads(), config.headSize(), arena.dataType()));
        }
        lengths = prompts.stream().mapToInt(TokenSequence::length).toArray();
        float[][] logits = new float[prompts.size()][];
        for (int from = 0; from < prompts.size(); ) {
            int to = from + 1;
            int tokens = prompts.get(from).length();
            while (to < prompts.size() && tokens + prompts.get(to).length() <= PREFILL_TOKENS) {
                tokens += prompts.get(to++).length();
            }
            prefill(prompts, from, to, logits);
            from = to;
        }
        return logits;
    }

    private void prefill(List<TokenSequence> prompts, int from, int to, float[][] logits) {
        Arena.Mark mark = arena.mark();
        PackedTokens packed = PackedTokens.of(
                prompts.subList(from, to),
                model.config().vocabularySize(),
                model.config().contextLength());
        int[] sequences = new int[packed.rows()];
        int[] lastRows = new int[to - from];
        for (int i = from; i < to; i++) {
            java.util.Arrays.fill(sequences, packed.start(i - from), packed.start(i - from + 1), i);
            lastRows[i - from] = packed.start(i - from + 1) - 1;
        }
        INDArray hidden = model.infer(
                packed, (layer, qkv) -> caches.get(layer).append(qkv, sequences, packed.positions(), arena), arena);
        INDArray last = arena.take(lastRows.length, model.config().width());
        kernels.gatherRows(hidden, lastRows, last);
        float[][] rows = logits(last);
        System.arraycopy(rows, 0, logits, from, rows.length);
        arena.release(mark);
    }

    @Override
    public float[][] advance(int[] sequences, int[] tokens) {
        checkRoom(sequences, tokens);
        int[] positions = new int[sequences.length];
        for (int i = 0; i < sequences.length; i++) {
            positions[i] = lengths[sequences[i]]++;
        }
        Arena.Mark mark = arena.mark();
        INDArray x = arena.take(sequences.length, model.config().width());
        kernels.embed(
                tokens,
                positions,
                model.tokenTable().value(),
                model.positionTable().value(),
                x,
                arena);
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
        INDArray normalized = block.norm1().forward(x, arena).out();
        INDArray qkv = arena.take(x.size(0), 3L * model.config().width());
        packed.project().apply(normalized, qkv);
        cache.append(qkv, sequences, positions, arena);
        INDArray mixed = arena.take(x.shape());
        cache.attend(qkv, sequences, positions, mixed, arena);
        packed.output().addTo(x, mixed);
        INDArray wide = arena.take(x.size(0), model.config().feedForwardWidth());
        packed.widen().apply(block.norm2().forward(x, arena).out(), wide);
        INDArray active = arena.take(wide.shape());
        kernels.gelu(wide, active, arena);
        packed.narrow().addTo(x, active);
    }

    private float[][] logits(INDArray hidden) {
        float[][] rows = new float[(int) hidden.size(0)][model.config().vocabularySize()];
        weights.head().apply(hidden, rows, arena);
        return rows;
    }

    @Override
    public void close() {
        caches.forEach(KeyValueCache::close);
        caches.clear();
        shared.giveBack();
        onClose.run();
    }
}
