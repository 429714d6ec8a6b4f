package io.github.rlhf4j.ppo.preference;

import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenScores;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** log π_ref of the sequences of examples: asked for when needed or once for all, or zeros where there is no reference. */
final class ReferenceLogProbs {

    private final List<Example> examples;
    private final @Nullable Policy reference;
    private final boolean inAdvance;
    private final double temperature;
    private final int maxTokens;
    /** One row per example, one number per sequence; null before they were computed. */
    private double @Nullable [][] stored;

    /**
     * Nothing is scored yet.
     *
     * @param reference null where the loss has none
     * @param inAdvance whether {@link #prepare} scores all examples
     * @param temperature that log-probs are under
     */
    ReferenceLogProbs(
            Examples examples, @Nullable Policy reference, boolean inAdvance, double temperature, int maxTokens) {
        this.examples = examples.list();
        this.reference = reference;
        this.inAdvance = inAdvance;
        this.temperature = temperature;
        this.maxTokens = maxTokens;
    }

    /** Scores everything, if that is to be done in advance and was not yet. */
    void prepare() {
        if (inAdvance && stored == null && reference != null) {
            stored = sums(reference, examples, temperature, maxTokens);
        }
    }

    /** One row per example, one number per sequence: sums over tokens, nats. */
    double[][] of(int[] indices) {
        double[][] all = stored;
        if (all != null) {
            return Arrays.stream(indices).mapToObj(i -> all[i]).toArray(double[][]::new);
        }
        List<Example> drawn = Arrays.stream(indices).mapToObj(examples::get).toList();
        if (reference == null) {
            return drawn.stream()
                    .map(example -> new double[example.sequences().size()])
                    .toArray(double[][]::new);
        }
        return sums(reference, drawn, temperature, maxTokens);
    }

    /** log π of each sequence of each example, summed over its tokens. */
    static double[][] sums(Policy policy, List<Example> examples, double temperature, int maxTokens) {
        List<ScoredSequence> sequences = examples.stream()
                .flatMap(example -> example.sequences().stream())
                .toList();
        List<Double> sums = new ArrayList<>(sequences.size());
        for (SequenceBatch part : new SequenceBatch(sequences, temperature).split(maxTokens)) {
            TokenScores scores = policy.score(part);
            part.checkShape("the log-probs of a policy", scores.logProbs());
            for (int i = 0; i < part.size(); i++) {
                sums.add(scores.sequenceLogProb(i));
            }
        }
        double[][] rows = new double[examples.size()][];
        int next = 0;
        for (int i = 0; i < rows.length; i++) {
            int count = examples.get(i).sequences().size();
            rows[i] = sums.subList(next, next + count).stream()
                    .mapToDouble(Double::doubleValue)
                    .toArray();
            next += count;
        }
        return rows;
    }

    /** Writes what was scored in advance; no file where nothing was. */
    void save(Path file) throws IOException {
        double[][] all = stored;
        if (all == null) {
            return;
        }
        try (DataOutputStream out = new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file)))) {
            for (double[] row : all) {
                for (double number : row) {
                    out.writeDouble(number);
                }
            }
        }
    }

    /**
     * What {@link #save} wrote, read to the same bits; null where there is no file.
     *
     * @throws IOException naming a file that ends too early
     */
    double @Nullable [][] read(Path file) throws IOException {
        if (!Files.exists(file)) {
            return null;
        }
        double[][] rows = new double[examples.size()][];
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
            for (int i = 0; i < rows.length; i++) {
                rows[i] = new double[examples.get(i).sequences().size()];
                for (int k = 0; k < rows[i].length; k++) {
                    rows[i][k] = in.readDouble();
                }
            }
        } catch (EOFException e) {
            throw new IOException(file + " ends before the log-probs of all " + rows.length + " examples", e);
        }
        return rows;
    }

    /** Goes on with what {@link #read} gave. */
    void restore(double @Nullable [][] saved) {
        stored = saved;
    }
}
