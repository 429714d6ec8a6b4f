package io.github.rlhf4j.transformer.kernels;

import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Causal attention on the CPU, straight on the packed rows: each head of each sequence is computed alone, some queries at
 * a time, by whichever thread is free. Nothing is padded, the future is not computed, and a sequence's result has the
 * same bits whatever else is in the batch and however many threads there are.
 *
 * <p>Implementation note. Scores are computed transposed, {@code [T keys, S queries]}: then the maximum and the sum of a
 * softmax, the values' sum and the queries' gradient are all sums of rows ({@link FloatRows}). Row u starts at query u;
 * what lies left of it is zero, so that rows may be added in groups. Only the gradients of keys and values want the
 * weights upright; they are turned once per block.
 */
final class FusedAttention {

    /** How a loop over heads is split over threads. */
    @FunctionalInterface
    interface Loop {

        /** As {@link Parallel#rows(int, int, IntRangeTask)}. */
        void rows(int count, int minPerTask, IntRangeTask task);
    }

    private final AttentionScratch.Pool pool = new AttentionScratch.Pool();
    private final Loop loop;

    FusedAttention() {
        this(Parallel::rows);
    }

    FusedAttention(Loop loop) {
        this.loop = loop;
    }

    /** One head of one sequence: rows {@code [start, start + length)}, columns {@code [column, column + size)}. */
    private record Head(int start, int length, int column, int size, int channels) {

        static Head of(PackedTokens packed, int heads, int channels, int task) {
            int sequence = task / heads;
            int size = channels / heads;
            return new Head(packed.start(sequence), packed.length(sequence), task % heads * size, size, channels);
        }

        float scale() {
            return (float) (1 / Math.sqrt(size));
        }
    }

    /** Queries {@code [first, first + count)} of a head. */
    private record Block(int first, int count) {

        /** The first query, within the block, that sees key u. */
        int from(int u) {
            return Math.max(0, u - first);
        }

        /** Number of keys that any query of the block sees. */
        int keys() {
            return first + count;
        }
    }

    void forward(PackedTokens packed, int heads, INDArray qkv, INDArray out, Arena arena) {
        HeadMatrix from = HeadMatrix.of(qkv);
        HeadMatrix into = HeadMatrix.of(out);
        int channels = from.columns() / 3;
        loop.rows(packed.sequenceCount() * heads, 1, (firstTask, end) -> {
            for (int task = firstTask; task < end; task++) {
                Head head = Head.of(packed, heads, channels, task);
                AttentionScratch s = pool.takeForward(head.length(), head.size());
                forward(head, from, into, s);
                pool.giveBack(s);
            }
        });
    }

    void backward(PackedTokens packed, int heads, INDArray dOut, INDArray qkv, INDArray dQkv, Arena arena) {
        HeadMatrix from = HeadMatrix.of(qkv);
        HeadMatrix upstream = HeadMatrix.of(dOut);
        HeadMatrix into = HeadMatrix.of(dQkv);
        int channels = from.columns() / 3;
        loop.rows(packed.sequenceCount() * heads, 1, (firstTask, end) -> {
            for (int task = firstTask; task < end; task++) {
                Head head = Head.of(packed, heads, channels, task);
                AttentionScratch s = pool.takeBackward(head.length(), head.size());
                backward(head, from, upstream, into, s);
                pool.giveBack(s);
            }
        });
    }

    private static void forward(Head head, HeadMatrix qkv, HeadMatrix out, AttentionScratch s) {
        readKeysAndValues(head, qkv, s);
        for (int first = 0; first < head.length(); first += AttentionScratch.BLOCK) {
            Block block = new Block(first, Math.min(AttentionScratch.BLOCK, head.length() - first));
            attend(head, block, qkv, s);
            clear(s.outT, head.size(), block.count());
            addRowsOfKeys(s.outT, s.weightsT, s.valuesT, head, block); // out[t] = Σ_u w[t, u]·v[u]
            for (int d = 0; d < head.size(); d++) {
                FloatRows.multiply(s.outT[d], s.columnSum, 0, block.count());
            }
            writeBlock(s.outT, out, 0, head, block, s);
        }
    }

    private static void backward(Head head, HeadMatrix qkv, HeadMatrix dOut, HeadMatrix dQkv, AttentionScratch s) {
        readKeysAndValues(head, qkv, s);
        FloatRows.transpose(s.keys, head.length(), head.size(), s.keysT);
        clear(s.dKeysT, head.size(), head.length());
        clear(s.dValuesT, head.size(), head.length());
        for (int first = 0; first < head.length(); first += AttentionScratch.BLOCK) {
            Block block = new Block(first, Math.min(AttentionScratch.BLOCK, head.length() - first));
            attend(head, block, qkv, s);
            readBlock(dOut, 0, head, block, s, s.dOutT);
            backward(head, block, s);
            writeBlock(s.outT, dQkv, 0, head, block, s);
        }
        writeKeysOrValues(s.dKeysT, dQkv, 1, head, s);
        writeKeysOrValues(s.dValuesT, dQkv, 2, head, s);
    }

    /** Mirrors {@link #attend} and the sum of values. The gradient of the queries is left in {@code outT}. */
    private static void backward(Head head, Block block, AttentionScratch s) {
        int n = block.count();
        for (int u = 0; u < block.keys(); u++) {
            FloatRows.multiply(s.weightsT[u], s.columnSum, block.from(u), n);
        }
        addRowsOfQueries(s.dValuesT, s.weightsT, s.dOutT, head, block, s); // out[t] = Σ_u w[t, u]·v[u]
        product(s.dScoresT, s.dOutT, s.values, head, block);

        float[] mean = s.columnMax; // w = softmax(scores): w∘(g − Σ w∘g)
        Arrays.fill(mean, 0, n, 0);
        for (int u = 0; u < block.keys(); u++) {
            FloatRows.addProduct(mean, s.weightsT[u], s.dScoresT[u], block.from(u), n);
        }
        for (int u = 0; u < block.keys(); u++) {
            FloatRows.softmaxGradient(s.dScoresT[u], s.weightsT[u], mean, block.from(u), n);
        }

        addRowsOfQueries(s.dKeysT, s.dScoresT, s.queriesT, head, block, s); // scores = (q/√D)·kᵀ
        clear(s.outT, head.size(), n);
        addRowsOfKeys(s.outT, s.dScoresT, s.keysT, head, block);
        for (int d = 0; d < head.size(); d++) {
            FloatRows.scale(s.outT[d], head.scale(), 0, n);
        }
    }

    /** Leaves {@code exp(score − max)} in {@code weightsT} and {@code 1/Σ} of each query in {@code columnSum}. */
    private static void attend(Head head, Block block, HeadMatrix qkv, AttentionScratch s) {
        int n = block.count();
        readBlock(qkv, 0, head, block, s, s.queriesT);
        for (int d = 0; d < head.size(); d++) {
            FloatRows.scale(s.queriesT[d], head.scale(), 0, n);
        }
        product(s.weightsT, s.queriesT, s.keys, head, block);
        Arrays.fill(s.columnMax, 0, n, Float.NEGATIVE_INFINITY);
        Arrays.fill(s.columnSum, 0, n, 0);
        for (int u = 0; u < block.keys(); u++) {
            FloatRows.max(s.columnMax, s.weightsT[u], block.from(u), n);
        }
        for (int u = 0; u < block.keys(); u++) {
            float[] row = s.weightsT[u];
            FloatRows.subtract(row, s.columnMax, block.from(u), n);
            FloatRows.exp(row, block.from(u), n);
            FloatRows.addOne(s.columnSum, row, 1, block.from(u), n);
        }
        FloatRows.invert(s.columnSum, 0, n);
    }

    /** {@code productT[u, t] = Σ_d perKey[u, d]·perQueryT[d, t]} where t sees u, else 0. */
    private static void product(float[][] productT, float[][] perQueryT, float[][] perKey, Head head, Block block) {
        for (int u = 0; u < block.keys(); u++) {
            Arrays.fill(productT[u], 0, block.count(), 0);
            FloatRows.addCombination(productT[u], perQueryT, perKey[u], 0, head.size(), block.from(u), block.count());
        }
    }

    /** {@code sumT[d, t] += Σ_u matrixT[u, t]·perKeyT[d, u]}. */
    private static void addRowsOfKeys(float[][] sumT, float[][] matrixT, float[][] perKeyT, Head head, Block block) {
        for (int u = 0; u < block.keys(); u += FloatRows.GROUP) {
            int group = Math.min(FloatRows.GROUP, block.keys() - u);
            for (int d = 0; d < head.size(); d++) {
                FloatRows.addCombination(sumT[d], matrixT, perKeyT[d], u, group, block.from(u), block.count());
            }
        }
    }

    /** {@code sumT[d, u] += Σ_t matrixT[u, t]·perQueryT[d, t]}. */
    private static void addRowsOfQueries(
            float[][] sumT, float[][] matrixT, float[][] perQueryT, Head head, Block block, AttentionScratch s) {
        FloatRows.transpose(matrixT, block.keys(), block.count(), s.upright);
        for (int t = 0; t < block.count(); t += FloatRows.GROUP) {
            int group = Math.min(FloatRows.GROUP, block.count() - t);
            for (int d = 0; d < head.size(); d++) {
                FloatRows.addCombination(sumT[d], s.upright, perQueryT[d], t, group, 0, block.first() + t + group);
            }
        }
    }

    private static void readKeysAndValues(Head head, HeadMatrix qkv, AttentionScratch s) {
        for (int u = 0; u < head.length(); u++) {
            qkv.read(head.start() + u, head.channels() + head.column(), head.size(), s.keys[u], 0);
            qkv.read(head.start() + u, 2 * head.channels() + head.column(), head.size(), s.values[u], 0);
        }
        FloatRows.transpose(s.values, head.length(), head.size(), s.valuesT);
    }

    private static void readBlock(
            HeadMatrix from, int part, Head head, Block block, AttentionScratch s, float[][] intoT) {
        for (int t = 0; t < block.count(); t++) {
            int row = head.start() + block.first() + t;
            from.read(row, part * head.channels() + head.column(), head.size(), s.rows[t], 0);
        }
        FloatRows.transpose(s.rows, block.count(), head.size(), intoT);
    }

    private static void writeBlock(
            float[][] blockT, HeadMatrix into, int part, Head head, Block block, AttentionScratch s) {
        FloatRows.transpose(blockT, head.size(), block.count(), s.rows);
        for (int t = 0; t < block.count(); t++) {
            int row = head.start() + block.first() + t;
            into.write(row, part * head.channels() + head.column(), head.size(), s.rows[t], 0);
        }
    }

    private static void writeKeysOrValues(float[][] matrixT, HeadMatrix into, int part, Head head, AttentionScratch s) {
        FloatRows.transpose(matrixT, head.size(), head.length(), s.keys);
        for (int u = 0; u < head.length(); u++) {
            into.write(head.start() + u, part * head.channels() + head.column(), head.size(), s.keys[u], 0);
        }
    }

    private static void clear(float[][] rows, int count, int columns) {
        for (int i = 0; i < count; i++) {
            Arrays.fill(rows[i], 0, columns, 0);
        }
    }
}
