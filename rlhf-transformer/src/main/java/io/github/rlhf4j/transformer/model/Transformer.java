package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.kernels.PackedTokens;
import io.github.rlhf4j.transformer.kernels.RotaryAngles;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The trunk: tokens to hidden states. Embedding, L blocks on a residual stream, a final norm. It holds no state beside
 * its parameters: what a backward pass needs is in the {@link Pass} that forward returns.
 */
public final class Transformer {

    /** The token head's table {@code [V, C]}, of a model whose embeddings are not tied. */
    public static final String HEAD = "lm_head.weight";

    private static final String POSITIONS = "transformer.wpe.weight";

    /** Place number of the embedding's dropout; block {@code l} has {@code 2l + 1} and {@code 2l + 2}. */
    private static final int EMBEDDING_PLACE = 0;

    private final TransformerConfig config;
    private final Kernels kernels;
    private final LoraAdapters adapters;
    private final Parameter tokenTable;
    private final @Nullable Parameter positionTable;
    private final @Nullable Parameter headTable;
    private final List<Block> blocks = new ArrayList<>();
    private final Normalization finalNorm;

    /** A trunk over the parameters of {@code store}, which {@link #declare} declared. */
    public Transformer(TransformerConfig config, ParameterStore store, Kernels kernels) {
        this(config, store, LoraAdapters.none(), kernels);
    }

    /** As the other constructor, with adapters beside the store's matrices; they are trained where the store is frozen. */
    public Transformer(TransformerConfig config, ParameterStore store, LoraAdapters adapters, Kernels kernels) {
        this.adapters = adapters;
        this.config = config;
        this.kernels = kernels;
        this.tokenTable = store.get("transformer.wte.weight");
        Rotary rotary = config.rotary();
        this.positionTable = rotary == null ? store.get(POSITIONS) : null;
        this.headTable = config.tiedEmbeddings() ? tokenTable : store.contains(HEAD) ? store.get(HEAD) : null;
        RotaryAngles angles = rotary == null ? null : new RotaryAngles(rotary.frequencies(config.headSize()));
        for (int i = 0; i < config.layers(); i++) {
            blocks.add(Block.of(store, config, adapters, i, angles, kernels));
        }
        this.finalNorm = Normalization.of(store, "transformer.ln_f", config, kernels);
    }

    /** Declares the trunk's parameters under Hugging Face's names for GPT-2, whatever the family. */
    public static ParameterStore.Builder declare(TransformerConfig config) {
        ParameterStore.Builder builder =
                new ParameterStore.Builder().matrix("transformer.wte.weight", config.vocabularySize(), config.width());
        if (config.rotary() == null) {
            builder.matrix(POSITIONS, config.contextLength(), config.width());
        }
        for (int i = 0; i < config.layers(); i++) {
            Block.declare(builder, config, i);
        }
        Normalization.declare(builder, "transformer.ln_f", config);
        return builder;
    }

    /** As {@link #declare}, with a token head's table where it is not the embedding's. */
    public static ParameterStore.Builder declareWithHead(TransformerConfig config) {
        ParameterStore.Builder builder = declare(config);
        return config.tiedEmbeddings() ? builder : builder.matrix(HEAD, config.vocabularySize(), config.width());
    }

    /** What a forward pass leaves for its backward pass: final hidden states {@code [M, C]} and what is below them. */
    public static final class Pass {

        private final PackedTokens packed;
        private final @Nullable Dropout dropout;
        private final List<Block.Kept> blocks;
        private final Normalization.Output finalNorm;

        private Pass(
                PackedTokens packed,
                @Nullable Dropout dropout,
                List<Block.Kept> blocks,
                Normalization.Output finalNorm) {
            this.packed = packed;
            this.dropout = dropout;
            this.blocks = blocks;
            this.finalNorm = finalNorm;
        }

        public PackedTokens packed() {
            return packed;
        }

        /** {@code [M, C]}, after the final norm: a row for each of {@link #packed}. */
        public INDArray hidden() {
            return finalNorm.out();
        }
    }

    public TransformerConfig config() {
        return config;
    }

    /** The token embedding {@code [V, C]}. */
    public Parameter tokenTable() {
        return tokenTable;
    }

    /**
     * The token head's table {@code [V, C]}: the token embedding where they are tied.
     *
     * @throws IllegalStateException when this is the trunk of a model without a token head
     */
    public Parameter headTable() {
        if (headTable == null) {
            throw new IllegalStateException("a trunk without " + HEAD + " has no token head: it is a scalar model's");
        }
        return headTable;
    }

    /**
     * Runs the trunk and keeps what {@link #backward} needs in the arena.
     *
     * @param packed the M rows whose hidden states are read; of {@link PackedTokens#tails}, the last block computes the others'
     *     keys and values alone
     * @param dropoutKeys the keys of the dropout masks, one for each sequence; null for no dropout, as in scoring
     * @throws IllegalArgumentException when there are not as many keys as sequences
     */
    public Pass forward(
            PackedTokens packed, @Nullable List<RandomKey> dropoutKeys, Recomputation recomputation, Arena arena) {
        if (dropoutKeys != null && dropoutKeys.size() != packed.sequenceCount()) {
            throw new IllegalArgumentException("dropout needs one key for each sequence, got " + dropoutKeys.size()
                    + " keys for " + packed.sequenceCount() + " sequences");
        }
        Dropout dropout = Dropout.of(config.dropout(), adapters.dropout(), dropoutKeys, kernels);
        INDArray x = embed(packed.whole(), arena);
        Dropout mask = Dropout.ofStream(dropout);
        if (mask != null) {
            mask.apply(x, EMBEDDING_PLACE, packed.whole(), x, arena);
        }
        List<Block.Kept> kept = new ArrayList<>(blocks.size());
        for (Block block : blocks) {
            PackedTokens attending = attending(block, packed);
            INDArray y = Block.attending(x, attending, kernels, arena);
            kept.add(block.forward(x, y, attending, dropout, recomputation, arena));
            x = y;
        }
        return new Pass(packed, dropout, kept, finalNorm.forward(x, arena));
    }

    /** Rows whose output somebody needs: a head that of the read rows, a further block those of all for keys and values. */
    private PackedTokens attending(Block block, PackedTokens packed) {
        return block.index() == blocks.size() - 1 ? packed : packed.whole();
    }

    /** Adds the parameter gradients that follow from {@code dHidden [M, C]}; mirrors {@link #forward}. */
    public void backward(Pass pass, INDArray dHidden, Arena arena) {
        Arena.Mark mark = arena.mark();
        INDArray dX = arena.takeZeros(dHidden.shape());
        finalNorm.backward(dHidden, pass.finalNorm.cache(), dX, arena);
        PackedTokens whole = pass.packed.whole();
        for (int i = blocks.size() - 1; i >= 0; i--) {
            PackedTokens attending = attending(blocks.get(i), pass.packed);
            INDArray dY = dX;
            dX = attending == whole ? dY : arena.takeZeros(whole.rows(), config.width());
            blocks.get(i).backward(dY, dX, attending, pass.dropout, pass.blocks.get(i), arena);
        }
        INDArray dTokenTable = tokenTable.trainedGradient();
        if (dTokenTable != null) {
            embedBackward(dX, whole, pass.dropout, dTokenTable, arena);
        }
        arena.release(mark);
    }

    private void embedBackward(
            INDArray dX, PackedTokens packed, @Nullable Dropout dropout, INDArray dTokenTable, Arena arena) {
        Dropout mask = Dropout.ofStream(dropout);
        if (mask != null) {
            mask.apply(dX, EMBEDDING_PLACE, packed, dX, arena);
        }
        if (config.embeddingScale() != 1) {
            dX.muli(config.embeddingScale());
        }
        kernels.embedBackward(
                dX, packed.tokens(), packed.positions(), dTokenTable, Parameter.gradient(positionTable), arena);
    }

    /** Adds what the adapters come to, to a copy of the weights: {@code W + alpha/rank·A·B}. */
    public void mergeAdaptersInto(ParameterStore copy) {
        for (Block block : blocks) {
            for (Linear layer : block.linearLayers()) {
                layer.mergeInto(copy.get(layer.weight().name()).value());
            }
        }
        copy.changed();
    }

    /** Sees the projected queries, keys and values {@code [N, (H + 2K)·D]} of each layer as attention reads them, of all rows. */
    public interface QkvObserver {

        void observe(int layer, INDArray qkv);
    }

    /** Final hidden states {@code [M, C]} of these rows, as {@link #forward}, with nothing kept for a backward pass. */
    public INDArray infer(PackedTokens packed, @Nullable QkvObserver observer, Arena arena) {
        INDArray out = arena.take(packed.rows(), config.width());
        Arena.Mark mark = arena.mark();
        INDArray x = embed(packed.whole(), arena);
        for (Block block : blocks) {
            PackedTokens attending = attending(block, packed);
            INDArray y = Block.attending(x, attending, kernels, arena);
            Arena.Mark before = arena.mark();
            Block.Cache cache = block.forward(x, y, attending, null, arena);
            if (observer != null) {
                observer.observe(block.index(), cache.attention().qkv());
            }
            arena.release(before);
            x = y;
        }
        out.assign(finalNorm.forward(x, arena).out());
        arena.release(mark);
        return out;
    }

    private INDArray embed(PackedTokens packed, Arena arena) {
        return embed(packed.tokens(), packed.positions(), arena);
    }

    /** Token embeddings, scaled, and with learned positions added to them. */
    INDArray embed(int[] tokens, int[] positions, Arena arena) {
        INDArray x = arena.take(tokens.length, config.width());
        kernels.embed(tokens, positions, tokenTable.value(), Parameter.value(positionTable), x, arena);
        return config.embeddingScale() == 1 ? x : x.muli(config.embeddingScale());
    }

    List<Block> blocks() {
        return blocks;
    }

    Normalization finalNorm() {
        return finalNorm;
    }
}
