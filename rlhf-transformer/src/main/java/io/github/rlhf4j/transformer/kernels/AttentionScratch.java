package io.github.rlhf4j.transformer.kernels;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.bytedeco.javacpp.FloatPointer;

/** Memory in which a block of S ≤ {@link #BLOCK} queries of a head meets its T keys: it grows with T and not with T². */
final class AttentionScratch {

    /** Queries of a head that are computed together. */
    static final int BLOCK = 64;

    private final int keys;
    private final StridedMatrix weights;
    private final StridedMatrix dScores;
    private final float[] row;
    private final float[] otherRow;

    private AttentionScratch(int keys) {
        this.keys = keys;
        this.weights = matrix(keys);
        this.dScores = matrix(keys);
        this.row = new float[keys];
        this.otherRow = new float[keys];
    }

    private static StridedMatrix matrix(int keys) {
        return new StridedMatrix(new FloatPointer((long) BLOCK * keys), 0, keys);
    }

    /** {@code [S, T]}. */
    StridedMatrix weights() {
        return weights;
    }

    /** {@code [S, T]}. */
    StridedMatrix dScores() {
        return dScores;
    }

    /** Room for a row of either, or of a head. */
    float[] row() {
        return row;
    }

    float[] otherRow() {
        return otherRow;
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
