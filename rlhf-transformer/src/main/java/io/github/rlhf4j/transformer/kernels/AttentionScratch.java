package io.github.rlhf4j.transformer.kernels;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.bytedeco.javacpp.FloatPointer;

/** Memory in which a block of S ≤ {@link #BLOCK} queries of a head meets its T keys: it grows with T and not with T². */
final class AttentionScratch {

    /** Queries of a head that are computed together. */
    static final int BLOCK = 64;

    private final int keys;
    private final FloatPointer weights;
    private final FloatPointer dScores;
    private final float[] rows;
    private final float[] otherRows;

    private AttentionScratch(int keys) {
        this.keys = keys;
        this.weights = new FloatPointer((long) BLOCK * keys);
        this.dScores = new FloatPointer((long) BLOCK * keys);
        this.rows = new float[Math.min(BLOCK * keys, Math.max(Blocks.FLOATS, keys))];
        this.otherRows = new float[rows.length];
    }

    /** How many rows of T elements are copied at a time: a copy costs as much as 1,000 elements, a core's cache holds these. */
    static int rowsAtOnce(int keys) {
        return Math.max(1, Math.min(BLOCK, Blocks.FLOATS / keys));
    }

    /** {@code [S, T]}, its rows one behind the other. */
    StridedMatrix weights(int seen) {
        return new StridedMatrix(weights, 0, seen);
    }

    /** {@code [S, T]}. */
    StridedMatrix dScores(int seen) {
        return new StridedMatrix(dScores, 0, seen);
    }

    /** Room for {@link #rowsAtOnce} rows of either. */
    float[] rows() {
        return rows;
    }

    float[] otherRows() {
        return otherRows;
    }

    /** Scratch that was used before and is used again; as many as threads ever asked at once. */
    static final class Pool {

        private final Queue<AttentionScratch> free = new ConcurrentLinkedQueue<>();

        /** Scratch for at least this many keys. */
        AttentionScratch take(int keys) {
            AttentionScratch known = free.poll();
            if (known != null && known.keys >= keys) {
                return known;
            }
            return new AttentionScratch(Math.max(keys, known == null ? BLOCK : 2 * known.keys));
        }

        void giveBack(AttentionScratch scratch) {
            free.add(scratch);
        }
    }
}
