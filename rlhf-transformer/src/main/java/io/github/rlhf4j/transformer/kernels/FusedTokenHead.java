package io.github.rlhf4j.transformer.kernels;

import io.github.rlhf4j.transformer.kernels.Kernels.TokenHeadGradient;
import io.github.rlhf4j.transformer.kernels.Kernels.TokenHeadKl;
import io.github.rlhf4j.transformer.kernels.Kernels.TokenHeadOutput;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The token head in chunks of rows, as {@link Nd4jTokenHead} computes it, but between the products each row of logits is
 * visited once: with {@code s = logits/τ − max} and {@code Z = Σ e^s}, log-probability {@code s_y − log Z}, entropy {@code
 * log Z − Σ e^s·s/Z}, with {@code r = s − s_ref} the KL to a reference {@code Σ e^s·r/Z − log Z + log Z_ref}, and in place of the
 * logits their gradient. Sums over the vocabulary are in double.
 */
final class FusedTokenHead {

    private FusedTokenHead() {}

    static void run(
            INDArray hidden,
            INDArray table,
            int[] targets,
            double temperature,
            TokenHeadOutput out,
            @Nullable TokenHeadGradient gradient,
            Arena arena) {
        int rows = targets.length;
        int chunk = out.rowsAtOnce(rows, table.size(0));
        for (int from = 0; from < rows; from += chunk) {
            int first = from;
            int to = Math.min(rows, from + chunk);
            Arena.Mark mark = arena.mark();
            INDArray logits = logits(hidden, table, from, to, temperature, arena);
            TokenHeadKl kl = out.kl();
            INDArray reference = kl == null ? null : logits(kl.hidden(), kl.table(), from, to, temperature, arena);
            Blocks.rows(to - from, (int) table.size(0), (a, b) -> {
                for (int row = a; row < b; row++) {
                    row(logits, reference, row, first + row, targets[first + row], out, gradient);
                }
            });
            if (gradient != null) {
                backward(logits, StridedMatrix.of(hidden).from(from, 0), table, temperature, gradient, from);
            }
            arena.release(mark);
        }
    }

    private static INDArray logits(INDArray hidden, INDArray table, int from, int to, double temperature, Arena arena) {
        INDArray logits = arena.take(to - from, table.size(0));
        Products.run(Products.productWithTransposed(
                StridedMatrix.of(hidden).from(from, 0), table, logits, 1 / temperature, 0));
        return logits;
    }

    /** One row of logits: what leaves is at index {@code i} of the outputs. */
    private static void row(
            INDArray logits,
            @Nullable INDArray reference,
            int row,
            int i,
            int target,
            TokenHeadOutput out,
            @Nullable TokenHeadGradient gradient) {
        int vocabulary = (int) logits.size(1);
        float[] s = Scratch.ofThread().take(0, vocabulary);
        float[] e = Scratch.ofThread().take(1, vocabulary);
        float[] r = Scratch.ofThread().take(2, reference == null ? 0 : vocabulary);
        VectorLoops loops = VectorLoops.ACTIVE;
        double logZOfReference = 0;
        if (reference != null) {
            shift(reference, row, r);
            logZOfReference = Math.log(sumOfExp(r, e, vocabulary)); // before e holds what is kept
        }
        float max = shift(logits, row, s);
        double z = sumOfExp(s, e, vocabulary);
        double logZ = Math.log(z);
        out.logProbs()[i] = s[target] - logZ;
        if (out.logNormalizers() != null) {
            out.logNormalizers()[i] = max + logZ;
        }
        double entropy = 0;
        boolean entropyUpstream = gradient != null && gradient.dEntropies() != null;
        if (entropyUpstream || out.entropies() != null) {
            entropy = logZ - loops.dot(e, 0, vocabulary, s, 0) / z;
        }
        if (out.entropies() != null) {
            out.entropies()[i] = entropy;
        }
        double meanRatio = 0;
        if (out.kl() != null) {
            subtractFrom(s, r, vocabulary);
            meanRatio = loops.dot(e, 0, vocabulary, r, 0) / z;
            out.kl().values()[i] = meanRatio - logZ + logZOfReference;
        }
        if (gradient != null) {
            double g = gradient.dLogProbs()[i];
            double h = gradient.dEntropies() == null ? 0 : gradient.dEntropies()[i];
            double k = gradient.dKls() == null ? 0 : gradient.dKls()[i];
            double q = gradient.zLosses() == null ? g : g - 2 * gradient.zLosses()[i] * (max + logZ);
            // −p·(q + h·(s − log Z + H)) + k·p·(r − mean(r)), as e·(a + b·s + c·r), and g more at the target
            float a = (float) (-(q + h * (entropy - logZ) + k * meanRatio) / z);
            if (gradient.dKls() != null) {
                logitGradient(s, r, e, a, (float) (-h / z), (float) (k / z), vocabulary);
            } else if (entropyUpstream) {
                logitGradient(s, e, a, (float) (-h / z), vocabulary);
            } else {
                loops.scale(e, a, 0, vocabulary);
            }
            e[target] += (float) g;
            HostMemory.write(logits, (long) row * vocabulary, e, 0, vocabulary);
        }
    }

    /** {@code s = logits − max} of a row; gives max. */
    private static float shift(INDArray logits, int row, float[] s) {
        int vocabulary = (int) logits.size(1);
        HostMemory.read(logits, (long) row * vocabulary, s, 0, vocabulary);
        float max = VectorLoops.ACTIVE.max(s, 0, vocabulary);
        subtract(s, max, vocabulary);
        return max;
    }

    /** {@code e = exp(s)}; gives its sum. */
    private static double sumOfExp(float[] s, float[] e, int length) {
        VectorLoops.ACTIVE.exp(s, e, 0, length);
        return VectorLoops.ACTIVE.sum(e, 0, length);
    }

    private static void subtract(float[] s, float max, int length) {
        for (int v = 0; v < length; v++) {
            s[v] -= max;
        }
    }

    private static void logitGradient(float[] s, float[] e, float a, float b, int length) {
        for (int v = 0; v < length; v++) {
            e[v] *= a + b * s[v];
        }
    }

    /** {@code r = s − r}. */
    private static void subtractFrom(float[] s, float[] r, int length) {
        for (int v = 0; v < length; v++) {
            r[v] = s[v] - r[v];
        }
    }

    private static void logitGradient(float[] s, float[] r, float[] e, float a, float b, float c, int length) {
        for (int v = 0; v < length; v++) {
            e[v] *= a + b * s[v] + c * r[v];
        }
    }

    private static void backward(
            INDArray dLogits,
            StridedMatrix hidden,
            INDArray table,
            double temperature,
            TokenHeadGradient gradient,
            int from) {
        StridedMatrix dHidden = StridedMatrix.of(gradient.dHidden()).from(from, 0);
        INDArray dTable = gradient.dTable();
        List<Runnable> tasks = new ArrayList<>(Products.product(
                (int) dLogits.size(0),
                table,
                StridedMatrix.of(dLogits),
                dHidden,
                1 / temperature,
                0,
                (row, rows, column, columns) -> {}));
        if (dTable != null) {
            tasks.addAll(Products.productOfTransposed(dLogits, hidden, dTable, 1 / temperature, 1));
        }
        Products.run(tasks);
    }
}
