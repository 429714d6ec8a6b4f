package io.github.rlhf4j.transformer.kernels;

import io.github.rlhf4j.transformer.kernels.Kernels.TokenHeadGradient;
import io.github.rlhf4j.transformer.kernels.Kernels.TokenHeadKl;
import io.github.rlhf4j.transformer.kernels.Kernels.TokenHeadOutput;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.impl.broadcast.BroadcastAddOp;
import org.nd4j.linalg.api.ops.impl.broadcast.BroadcastMulOp;
import org.nd4j.linalg.api.ops.impl.broadcast.BroadcastSubOp;
import org.nd4j.linalg.api.ops.impl.reduce.same.Max;
import org.nd4j.linalg.api.ops.impl.reduce.same.Sum;
import org.nd4j.linalg.api.ops.impl.transforms.strict.Exp;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The token head in chunks of rows: with {@code s = logits/τ − max} and {@code Z = Σ e^s}, log-probability {@code s_y −
 * log Z} and entropy {@code log Z − Σ e^s·s/Z}; with {@code r = s − s_ref}, the KL to a reference {@code Σ e^s·r/Z − log Z + log
 * Z_ref}. Where the gradient is known it goes back in the same pass.
 */
final class Nd4jTokenHead {

    void run(
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
            int to = Math.min(rows, from + chunk);
            Arena.Mark mark = arena.mark();
            chunk(new Chunk(from, to, table.size(0)), hidden, table, targets, temperature, out, gradient, arena);
            arena.release(mark);
        }
    }

    private record Chunk(int from, int to, long vocabulary) {

        int rows() {
            return to - from;
        }

        INDArray of(INDArray matrix) {
            return Rows.slice(matrix, from, to);
        }
    }

    private void chunk(
            Chunk c,
            INDArray hidden,
            INDArray table,
            int[] targets,
            double temperature,
            TokenHeadOutput out,
            @Nullable TokenHeadGradient gradient,
            Arena arena) {
        INDArray shifted = arena.take(c.rows(), c.vocabulary());
        INDArray column = arena.take(c.rows());
        Nd4j.gemm(c.of(hidden), table, shifted, false, true, 1 / temperature, 0);
        Nd4j.exec(new Max(shifted, column, false, 1));
        double[] max = Nd4jKernels.toDoubles(column);
        Nd4j.exec(new BroadcastSubOp(shifted, column, shifted, 0));
        double[] atTarget = pick(shifted, targets, c, column);

        boolean entropyWanted = out.entropies() != null || (gradient != null && gradient.dEntropies() != null);
        boolean shiftedWanted = entropyWanted || out.kl() != null;
        INDArray exp = shiftedWanted ? arena.take(c.rows(), c.vocabulary()) : shifted;
        Nd4j.exec(new Exp(shifted, exp));
        double[] z = sumOfRows(exp, column);

        double[] entropies = new double[c.rows()];
        if (entropyWanted) {
            INDArray product = arena.take(c.rows(), c.vocabulary());
            exp.muli(shifted, product);
            double[] expShifted = sumOfRows(product, column);
            for (int i = 0; i < z.length; i++) {
                entropies[i] = Math.log(z[i]) - expShifted[i] / z[i];
            }
        }
        for (int i = 0; i < z.length; i++) {
            out.logProbs()[c.from() + i] = atTarget[i] - Math.log(z[i]);
            if (out.entropies() != null) {
                out.entropies()[c.from() + i] = entropies[i];
            }
            if (out.logNormalizers() != null) {
                out.logNormalizers()[c.from() + i] = max[i] + Math.log(z[i]);
            }
        }
        LogRatio ratio = out.kl() == null ? null : kl(c, out.kl(), temperature, shifted, exp, z, column, arena);
        if (gradient != null) {
            backward(c, hidden, table, targets, temperature, gradient, shifted, exp, max, z, entropies, ratio);
        }
    }

    /**
     * {@code log p − log q} up to a constant of each row.
     *
     * @param rows {@code r = s − s_ref}, {@code [rows, V]}
     * @param mean its mean under p, by row
     */
    private record LogRatio(INDArray rows, double[] mean) {}

    /** {@code KL = Σ p·(s − log Z − (s_ref − log Z_ref)) = mean(r) − log Z + log Z_ref}. */
    private static LogRatio kl(
            Chunk c,
            TokenHeadKl kl,
            double temperature,
            INDArray shifted,
            INDArray exp,
            double[] z,
            INDArray column,
            Arena arena) {
        INDArray ratio = arena.take(c.rows(), c.vocabulary());
        INDArray product = arena.take(c.rows(), c.vocabulary());
        Nd4j.gemm(c.of(kl.hidden()), kl.table(), ratio, false, true, 1 / temperature, 0);
        Nd4j.exec(new Max(ratio, column, false, 1));
        Nd4j.exec(new BroadcastSubOp(ratio, column, ratio, 0));
        Nd4j.exec(new Exp(ratio, product));
        double[] zReference = sumOfRows(product, column);
        shifted.subi(ratio, ratio);
        exp.muli(ratio, product);
        double[] mean = sumOfRows(product, column);
        for (int i = 0; i < mean.length; i++) {
            mean[i] /= z[i];
            kl.values()[c.from() + i] = mean[i] - Math.log(z[i]) + Math.log(zReference[i]);
        }
        return new LogRatio(ratio, mean);
    }

    /**
     * {@code dlogits = g·(1{target} − p) − h·p∘(log p + H) + 2·zLoss·log Z·p + k·p∘(r − mean(r))}, with {@code p = exp/Z} and
     * {@code log p = shifted − log Z}; the last is that of the KL, for {@code log p − log q − KL = r − mean(r)}.
     */
    private void backward(
            Chunk c,
            INDArray hidden,
            INDArray table,
            int[] targets,
            double temperature,
            TokenHeadGradient gradient,
            INDArray shifted,
            INDArray exp,
            double[] max,
            double[] z,
            double[] entropies,
            @Nullable LogRatio ratio) {
        double[] g = slice(gradient.dLogProbs(), c);
        double[] q = g.clone(); // what −p counts: g − 2z·log Z
        if (gradient.zLosses() != null) {
            for (int i = 0; i < q.length; i++) {
                q[i] -= 2 * gradient.zLosses()[c.from() + i] * (max[i] + Math.log(z[i]));
            }
        }
        double[] factor = new double[c.rows()];
        boolean klUpstream = ratio != null && gradient.dKls() != null;
        if (gradient.dEntropies() == null && !klUpstream) {
            for (int i = 0; i < factor.length; i++) {
                factor[i] = -q[i] / z[i];
            }
            multiplyRows(exp, factor); // −q·p
        } else {
            // −p·(q + h·(shifted − log Z + H)) + k·p·(r − mean), as exp·(a + b·shifted + c·r)
            double[] h = gradient.dEntropies() == null ? new double[c.rows()] : slice(gradient.dEntropies(), c);
            double[] constant = new double[c.rows()];
            for (int i = 0; i < factor.length; i++) {
                factor[i] = -h[i] / z[i];
                constant[i] = -(q[i] + h[i] * (entropies[i] - Math.log(z[i]))) / z[i];
            }
            multiplyRows(shifted, factor);
            if (klUpstream) {
                double[] ofRatio = new double[c.rows()];
                for (int i = 0; i < ofRatio.length; i++) {
                    ofRatio[i] = gradient.dKls()[c.from() + i] / z[i];
                    constant[i] -= ofRatio[i] * ratio.mean()[i];
                }
                multiplyRows(ratio.rows(), ofRatio);
                shifted.addi(ratio.rows());
            }
            addToRows(shifted, constant);
            exp.muli(shifted);
        }
        addAtTargets(exp, targets, c, g);
        Nd4j.gemm(exp, table, c.of(gradient.dHidden()), false, false, 1 / temperature, 0);
        if (gradient.dTable() != null) {
            Nd4j.gemm(exp, c.of(hidden), gradient.dTable(), true, false, 1 / temperature, 1);
        }
    }

    private static double[] slice(double[] values, Chunk c) {
        return java.util.Arrays.copyOfRange(values, c.from(), c.to());
    }

    private static double[] sumOfRows(INDArray matrix, INDArray column) {
        Nd4j.exec(new Sum(matrix, column, false, 1));
        return Nd4jKernels.toDoubles(column);
    }

    private static void multiplyRows(INDArray matrix, double[] factors) {
        try (INDArray column = Nd4jKernels.columnOf(factors, matrix.dataType())) {
            Nd4j.exec(new BroadcastMulOp(matrix, column, matrix, 0));
        }
    }

    private static void addToRows(INDArray matrix, double[] summands) {
        try (INDArray column = Nd4jKernels.columnOf(summands, matrix.dataType())) {
            Nd4j.exec(new BroadcastAddOp(matrix, column, matrix, 0));
        }
    }

    private static double[] pick(INDArray matrix, int[] targets, Chunk c, INDArray column) {
        Nd4jKernels.gather(matrix.reshape(matrix.length()), flatIndices(targets, c), column);
        return Nd4jKernels.toDoubles(column);
    }

    private static void addAtTargets(INDArray matrix, int[] targets, Chunk c, double[] g) {
        INDArray flat = matrix.reshape(matrix.length());
        try (INDArray indices = Nd4j.createFromArray(flatIndices(targets, c));
                INDArray updates = Nd4jKernels.columnOf(g, matrix.dataType())) {
            Nd4j.exec(DynamicCustomOp.builder("scatter_add")
                    .addInputs(flat, indices, updates)
                    .addOutputs(flat)
                    .build());
        }
    }

    private static int[] flatIndices(int[] targets, Chunk c) {
        int[] indices = new int[c.rows()];
        for (int i = 0; i < indices.length; i++) {
            indices[i] = Math.toIntExact(i * c.vocabulary() + targets[c.from() + i]);
        }
        return indices;
    }
}
