package io.github.rlhf4j.transformer.kernels;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Keys and values of one layer on the heap, each sequence as long as it is ({@link KeyValueSequence}). A head's result has
 * the same bits whatever else is in the batch.
 */
final class FusedKeyValueCache implements KeyValueCache {

    /** Heads of rows that are worth a thread. */
    private static final int HEADS_PER_TASK = 8;

    private final AttentionShape shape;
    private final int headSize;
    private final Map<Integer, KeyValueSequence> stored = new HashMap<>();
    private final Queue<Scratch> free = new ConcurrentLinkedQueue<>();

    FusedKeyValueCache(AttentionShape shape) {
        this.shape = shape;
        this.headSize = shape.headSize();
    }

    /** What one head of one row is computed in. */
    private static final class Scratch {
        private float[] weights = {};
        private final float[] query;
        private final float[] out;

        Scratch(int headSize) {
            query = new float[headSize];
            out = new float[KeyValueSequence.padded(headSize)];
        }
    }

    @Override
    public void append(INDArray qkv, int[] sequences, int[] positions, Arena arena) {
        HeadMatrix from = HeadMatrix.of(qkv);
        int channels = shape.keyWidth();
        float[] key = new float[channels];
        float[] value = new float[channels];
        for (int row = 0; row < sequences.length; row++) {
            from.read(row, shape.keysFrom(), channels, key, 0);
            from.read(row, shape.valuesFrom(), channels, value, 0);
            stored.computeIfAbsent(sequences[row], i -> new KeyValueSequence(shape.keyValueHeads(), headSize))
                    .put(positions[row], key, value);
        }
    }

    @Override
    public void share(int from, int length, int to) {
        stored.put(to, stored.get(from).beginning(length));
    }

    @Override
    public void release(int sequence) {
        stored.remove(sequence);
    }

    @Override
    public void attend(INDArray qkv, int[] sequences, int[] positions, INDArray out, Arena arena) {
        HeadMatrix from = HeadMatrix.of(qkv);
        HeadMatrix into = HeadMatrix.of(out);
        int heads = shape.heads();
        Parallel.rows(sequences.length * heads, HEADS_PER_TASK, (first, end) -> {
            Scratch known = free.poll();
            Scratch scratch = known == null ? new Scratch(headSize) : known;
            for (int task = first; task < end; task++) {
                int row = task / heads;
                int head = task % heads;
                from.read(row, head * headSize, headSize, scratch.query, 0);
                attend(stored.get(sequences[row]), head / shape.group(), positions[row] + 1, scratch);
                into.write(row, head * headSize, headSize, scratch.out, 0);
            }
            free.add(scratch);
        });
    }

    /** {@code softmax(q·kᵀ/√D)·v} over the first {@code length} positions. */
    private void attend(KeyValueSequence sequence, int head, int length, Scratch s) {
        int block = KeyValueSequence.BLOCK;
        int padded = KeyValueSequence.padded(headSize);
        int blocks = (length + block - 1) / block;
        if (s.weights.length < blocks * block) {
            s.weights = new float[2 * blocks * block];
        }
        VectorLoops loops = VectorLoops.ACTIVE;
        loops.scale(s.query, (float) (1 / Math.sqrt(headSize)), 0, headSize);
        Arrays.fill(s.weights, 0, blocks * block, 0);
        for (int b = 0; b < blocks; b++) {
            float[] keys = sequence.block(b).keys();
            loops.addWeightedRows(s.query, 0, headSize, keys, head * headSize * block, block, s.weights, b * block);
        }
        double sum = loops.expOfDifference(s.weights, loops.max(s.weights, 0, length), 0, length);
        Arrays.fill(s.out, 0);
        for (int b = 0; b < blocks; b++) {
            float[] values = sequence.block(b).values();
            int count = Math.min(block, length - b * block);
            loops.addWeightedRows(s.weights, b * block, count, values, head * block * padded, padded, s.out, 0);
        }
        loops.scale(s.out, (float) (1 / sum), 0, padded);
    }

    /** Lets go of everything; a closed cache is empty. */
    @Override
    public void close() {
        stored.clear();
        free.clear();
    }
}
