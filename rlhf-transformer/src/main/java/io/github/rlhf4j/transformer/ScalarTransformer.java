package io.github.rlhf4j.transformer;

import io.github.rlhf4j.core.Checkpointable;
import io.github.rlhf4j.core.TokenBudget;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.files.LoraDirectory;
import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.PackedTokens;
import io.github.rlhf4j.transformer.model.Initialization;
import io.github.rlhf4j.transformer.model.LoraConfig;
import io.github.rlhf4j.transformer.model.ParameterStore;
import io.github.rlhf4j.transformer.model.Recomputation;
import io.github.rlhf4j.transformer.model.Transformer;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A trunk with one number per token instead of a vocabulary: what reward models and value functions are. The head is
 * {@code score.weight [1, C]} without a bias, as in Hugging Face's sequence classifiers.
 */
public final class ScalarTransformer implements Checkpointable, AutoCloseable {

    /** Name of the head's weight. */
    public static final String HEAD = ScalarHead.NAME;

    private final ModelCore core;
    private final ScalarHead head;

    ScalarTransformer(ModelCore core) {
        this.core = core;
        this.head = ScalarHead.of(core);
    }

    /**
     * A scalar model on a copy of a language model's trunk, the head drawn from N(0, 1/√(C + 1)) (Ziegler et al. 2019).
     */
    public static ScalarTransformer of(TransformerPolicy trunk, AdamWConfig optimizer, long seed) {
        ScalarTransformer model =
                allocate(trunk.config(), optimizer, trunk.parameters().dataType());
        trunk.core().copyWeightsTo(model.parameters());
        model.setRecomputation(trunk.recomputation());
        Initialization.scalarHead(model.head.weight(), RandomKey.of(seed).child("scalar head"));
        return model;
    }

    /** A model of this shape, all zero, to be read into. */
    public static ScalarTransformer allocate(TransformerConfig config, AdamWConfig optimizer, DataType dataType) {
        ParameterStore store =
                Transformer.declare(config).matrix(HEAD, 1, config.width()).allocate(dataType);
        return new ScalarTransformer(new ModelCore(config, optimizer, store));
    }

    /**
     * A scalar model of low-rank adapters on the memory of a language model, which does not change, and a head of its own,
     * drawn as in {@link #of}: policy, reference, value function and reward model can share one trunk. See {@link
     * TransformerPolicy#withLora} for who closes what when.
     *
     * @throws IllegalStateException when {@code trunk} has adapters itself
     */
    public static ScalarTransformer ofLora(TransformerPolicy trunk, LoraConfig lora, AdamWConfig optimizer, long seed) {
        ScalarTransformer model = new ScalarTransformer(trunk.core().adapted(lora, optimizer, true, seed));
        Initialization.scalarHead(model.head.weight(), RandomKey.of(seed).child("scalar head"));
        return model;
    }

    /**
     * Low-rank adapters on this model's memory, trained with a copy of its head; it begins with this model's scores. See {@link
     * TransformerPolicy#withLora}.
     *
     * @throws IllegalStateException when this model has adapters itself
     */
    public ScalarTransformer withLora(LoraConfig lora, AdamWConfig optimizer, long seed) {
        ScalarTransformer model = new ScalarTransformer(core.adapted(lora, optimizer, true, seed));
        model.head.weight().value().assign(head.weight().value());
        return model;
    }

    /**
     * As {@link #withLora}, with adapters and head as {@link #saveLora} or PEFT writes them; without a head in the file, with
     * this model's.
     *
     * @throws IOException naming the file and what is wrong with it, or does not fit this model
     */
    public ScalarTransformer loadLora(Path directory, AdamWConfig optimizer) throws IOException {
        LoraDirectory files = LoraDirectory.open(directory, core.config(), true);
        ScalarTransformer model = withLora(files.lora(), optimizer, 0);
        try {
            files.readInto(model.parameters());
        } catch (IOException | RuntimeException e) {
            model.close();
            throw e;
        }
        return model;
    }

    /**
     * Writes adapters and head alone, as {@link #loadLora} and PEFT read them.
     *
     * @throws IllegalStateException when there are no adapters
     */
    public void saveLora(Path directory) throws IOException {
        saveLora(directory, null);
    }

    /**
     * As {@link #saveLora(Path)}, and says which model is adapted, so that PEFT finds it by itself.
     *
     * @param base directory or Hugging Face's name of that model, for example {@code HuggingFaceTB/SmolLM2-135M-Instruct}; null for none
     */
    public void saveLora(Path directory, @Nullable String base) throws IOException {
        LoraDirectory.save(directory, core.config(), core.requireLora(), core.store(), base);
    }

    /** The adapters' settings; null for a model without. */
    public @Nullable LoraConfig lora() {
        return core.lora();
    }

    /** An independent model without adapters, whose weights are {@code W + alpha/rank·A·B}. */
    public ScalarTransformer merged() {
        return copy();
    }

    /** An independent model with the same weights, adapters merged, and a new optimiser. */
    public ScalarTransformer copy() {
        return copy(core.optimizerConfig());
    }

    /** As {@link #copy()}, to be trained with other settings. */
    public ScalarTransformer copy(AdamWConfig optimizer) {
        ScalarTransformer copy = allocate(core.config(), optimizer, core.store().dataType());
        core.copyWeightsTo(copy.parameters());
        copy.setRecomputation(core.recomputation());
        return copy;
    }

    /** Chooses what passes that go backward keep; see {@link Recomputation}, which is none unless set. Copies inherit it. */
    public void setRecomputation(Recomputation choice) {
        core.setRecomputation(choice);
    }

    public TransformerConfig config() {
        return core.config();
    }

    /** What is trained: all parameters, or adapters and head where there are adapters. */
    public ParameterStore parameters() {
        return core.store();
    }

    /**
     * The head's output at some positions of some sequences.
     *
     * @param sequences each of 1 to contextLength tokens
     * @param positions for each sequence, 0-based; the number at position p has seen tokens 0 … p
     * @return one row per sequence, one entry per position
     */
    public double[][] score(List<TokenSequence> sequences, List<int[]> positions) {
        List<double[]> scores = new ArrayList<>(sequences.size());
        for (TokenBudget.Range range : TokenBudget.ranges(
                sequences.size(), i -> sequences.get(i).length(), Microbatches.tokens(core.config()))) {
            Rows rows = Rows.of(
                    sequences.subList(range.from(), range.to()),
                    positions.subList(range.from(), range.to()),
                    core.config());
            double[][] part = core.infer(arena -> read(rows, core.trunk().infer(rows.packed(), null, arena), arena));
            scores.addAll(List.of(part));
        }
        return scores.toArray(double[][]::new);
    }

    /** A pass that goes backward; closed in the reverse order of opening. */
    public interface ScalarPass extends AutoCloseable {

        /** As {@link ScalarTransformer#score}. */
        double[][] scores();

        /** Adds the parameter gradients that follow from dLoss/dscore; at most once. */
        void backward(double[][] dScores);

        @Override
        void close();
    }

    /**
     * As {@link #score}, remembering what the backward pass needs. When this or the pass's backward throws, the pass's
     * memory is given back and the gradients that were added up since the last update are discarded.
     */
    public ScalarPass forward(List<TokenSequence> sequences, List<int[]> positions) {
        TrainingPass life = core.openPass();
        return life.forward(() -> forward(Rows.of(sequences, positions, core.config()), life));
    }

    private ScalarPass forward(Rows rows, TrainingPass life) {
        Transformer.Pass pass = core.forward(rows.packed(), null);
        double[][] scores = read(rows, pass.hidden(), core.trainingArena());
        return new ScalarPass() {
            @Override
            public double[][] scores() {
                return scores;
            }

            @Override
            public void backward(double[][] dScores) {
                life.backward(() -> goBackward(rows, pass, rows.flat(dScores)));
            }

            @Override
            public void close() {
                life.close();
            }
        };
    }

    private double[][] read(Rows rows, INDArray hidden, Arena arena) {
        return rows.ragged(head.forward(rows.rows(), hidden, arena));
    }

    private void goBackward(Rows rows, Transformer.Pass pass, double[] dScores) {
        Arena arena = core.trainingArena();
        INDArray dHidden = arena.takeZeros(rows.packed().rows(), core.config().width());
        head.backward(rows.rows(), dScores, pass.hidden(), dHidden, arena);
        core.trunk().backward(pass, dHidden, arena);
    }

    /** Applies what the backward passes added up, clipped, and clears it; see {@code TrainablePolicy.update}. */
    public UpdateReport update(double learningRate) {
        return core.update(learningRate);
    }

    @Override
    public void saveState(Path directory) throws IOException {
        core.saveState(directory);
    }

    @Override
    public void restoreState(Path directory) throws IOException {
        core.restoreState(directory);
    }

    @Override
    public void close() {
        core.close();
    }

    /** Packed sequences and the rows that are read, with the number of them in each sequence. */
    private record Rows(ReadRows read, int[] counts) {

        static Rows of(List<TokenSequence> sequences, List<int[]> positions, TransformerConfig config) {
            if (sequences.isEmpty() || sequences.size() != positions.size()) {
                throw new IllegalArgumentException("scoring needs at least one sequence and positions for each, got "
                        + sequences.size() + " sequences and " + positions.size() + " position lists");
            }
            PackedTokens packed = PackedTokens.of(sequences, config.vocabularySize(), config.contextLength());
            int[] counts = positions.stream().mapToInt(p -> p.length).toArray();
            if (Arrays.stream(counts).sum() == 0) {
                throw new IllegalArgumentException("no position to score in any of " + sequences.size() + " sequences");
            }
            for (int i = 0; i < counts.length; i++) {
                for (int position : positions.get(i)) {
                    if (position < 0 || position >= packed.length(i)) {
                        throw new IllegalArgumentException("position " + position + " of sequence " + i
                                + " is outside its " + packed.length(i) + " tokens");
                    }
                }
            }
            return new Rows(ReadRows.of(packed, positions.toArray(int[][]::new)), counts);
        }

        PackedTokens packed() {
            return read.packed();
        }

        int[] rows() {
            return read.rows();
        }

        double[][] ragged(double[] flat) {
            return Ragged.rows(flat, counts);
        }

        double[] flat(double[][] ragged) {
            return Ragged.flat(ragged, counts, "dScores");
        }
    }
}
