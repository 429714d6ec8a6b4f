package io.github.rlhf4j.transformer.kernels;

import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Keys and values of one layer on the heap, each sequence as long as it is. Values are a row per position; keys are
 * transposed, a row per component of a head, so that scores are sums of rows too ({@link FloatRows}).
 */
final class FusedKeyValueCache implements KeyValueCache {

    /** Positions for which a sequence that is not empty has room at least. */
    private static final int SMALLEST = 64;

    /** Heads of rows that are worth a thread. */
    private static final int HEADS_PER_TASK = 8;

    private final int heads;
    private final int headSize;
    private final Stored[] stored;
    private final Queue<Scratch> free = new ConcurrentLinkedQueue<>();

    FusedKeyValueCache(int sequences, int heads, int headSize) {
        this.heads = heads;
        this.headSize = headSize;
        this.stored = new Stored[sequences];
        Arrays.setAll(stored, i -> new Stored(heads, headSize));
    }

    /** One sequence. */
    private static final class Stored {

        private final int heads;
        private int capacity;

        /** {@code [D, H·capacity]}: component d of the keys of head h from column {@code h·capacity} on. */
        private final float[][] keysT;

        /** {@code [capacity, C]}; rows come into being as they are needed. */
        private float[][] values = {};

        Stored(int heads, int headSize) {
            this.heads = heads;
            this.keysT = new float[headSize][0];
        }

        void growTo(int positions) {
            if (positions <= capacity) {
                return;
            }
            int larger = Math.max(Math.max(SMALLEST, positions), 2 * capacity);
            for (int d = 0; d < keysT.length; d++) {
                float[] grown = new float[heads * larger];
                for (int h = 0; h < heads; h++) {
                    System.arraycopy(keysT[d], h * capacity, grown, h * larger, capacity);
                }
                keysT[d] = grown;
            }
            int known = values.length;
            values = Arrays.copyOf(values, larger);
            for (int u = known; u < larger; u++) {
                values[u] = new float[heads * keysT.length];
            }
            capacity = larger;
        }

        void put(int position, HeadMatrix qkv, int row, float[] key) {
            int channels = heads * keysT.length;
            qkv.read(row, channels, channels, key, 0);
            for (int h = 0; h < heads; h++) {
                for (int d = 0; d < keysT.length; d++) {
                    keysT[d][h * capacity + position] = key[h * keysT.length + d];
                }
            }
            qkv.read(row, 2 * channels, channels, values[position], 0);
        }
    }

    /** What one head of one row is computed in; its columns are those of the cache. */
    private static final class Scratch {
        private float[] weights = {};
        private final float[] query;
        private final float[] out;

        Scratch(int headSize, int channels) {
            query = new float[headSize];
            out = new float[channels];
        }
    }

    @Override
    public void append(INDArray qkv, int[] sequences, int[] positions, Arena arena) {
        HeadMatrix from = HeadMatrix.of(qkv);
        float[] key = new float[heads * headSize];
        for (int row = 0; row < sequences.length; row++) {
            Stored sequence = stored[sequences[row]];
            sequence.growTo(positions[row] + 1);
            sequence.put(positions[row], from, row, key);
        }
    }

    @Override
    public void attend(INDArray qkv, int[] sequences, int[] positions, INDArray out, Arena arena) {
        HeadMatrix from = HeadMatrix.of(qkv);
        HeadMatrix into = HeadMatrix.of(out);
        Parallel.rows(sequences.length * heads, HEADS_PER_TASK, (firstTask, end) -> {
            for (int task = firstTask; task < end; task++) {
                int row = task / heads;
                int head = task % heads;
                Scratch known = free.poll();
                Scratch scratch = known == null ? new Scratch(headSize, heads * headSize) : known;
                from.read(row, head * headSize, headSize, scratch.query, 0);
                attend(stored[sequences[row]], head, positions[row] + 1, scratch);
                into.write(row, head * headSize, headSize, scratch.out, head * headSize);
                free.add(scratch);
            }
        });
    }

    /** {@code softmax(q·kᵀ/√D)·v} over the first {@code length} positions. */
    private void attend(Stored sequence, int head, int length, Scratch s) {
        if (s.weights.length < heads * sequence.capacity) {
            s.weights = new float[heads * sequence.capacity];
        }
        int from = head * sequence.capacity;
        int to = from + length;
        FloatRows.scale(s.query, (float) (1 / Math.sqrt(headSize)), 0, headSize);
        Arrays.fill(s.weights, from, to, 0);
        FloatRows.addCombination(s.weights, sequence.keysT, s.query, 0, headSize, from, to);
        float inverse = 1 / exponentials(s.weights, from, to);

        // coefficients are read by row number: those of this head move to the front
        System.arraycopy(s.weights, from, s.weights, 0, length);
        int first = head * headSize;
        Arrays.fill(s.out, first, first + headSize, 0);
        FloatRows.addCombination(s.out, sequence.values, s.weights, 0, length, first, first + headSize);
        FloatRows.scale(s.out, inverse, first, first + headSize);
    }

    /** {@code row = exp(row − max)}; returns the sum. */
    private static float exponentials(float[] row, int from, int to) {
        VectorLoops loops = VectorLoops.ACTIVE;
        return (float) loops.expOfDifference(row, loops.max(row, from, to), from, to);
    }

    /** Lets go of everything; a closed cache is empty. */
    @Override
    public void close() {
        Arrays.setAll(stored, i -> new Stored(heads, headSize));
        free.clear();
    }
}
