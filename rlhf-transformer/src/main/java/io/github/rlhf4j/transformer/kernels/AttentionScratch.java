package io.github.rlhf4j.transformer.kernels;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Memory in which attention of one head is computed: T keys and a block of S ≤ {@link #BLOCK} queries, so that it grows
 * with T and not with T². Transposed matrices carry a T at the end of their name.
 */
final class AttentionScratch {

    /** Queries of a head that are computed together. */
    static final int BLOCK = 128;

    private int length;
    private int headSize;

    /** {@code [T, D]}. */
    float[][] keys = {};

    /** {@code [T, D]}. */
    float[][] values = {};

    /** {@code [D, T]}. */
    float[][] keysT = {};

    /** {@code [D, T]}. */
    float[][] valuesT = {};

    /** {@code [D, T]}. */
    float[][] dKeysT = {};

    /** {@code [D, T]}. */
    float[][] dValuesT = {};

    /** {@code [D, S]}, divided by √D. */
    float[][] queriesT = {};

    /** {@code [D, S]}. */
    float[][] outT = {};

    /** {@code [D, S]}. */
    float[][] dOutT = {};

    /** {@code [T, S]}. */
    float[][] weightsT = {};

    /** {@code [T, S]}. */
    float[][] dScoresT = {};

    /** {@code [S, T]}, of weights or of their gradient. */
    float[][] upright = {};

    /** {@code [S, D]}. */
    float[][] rows = {};

    /** {@code [S]}. */
    final float[] columnMax = new float[BLOCK];

    /** {@code [S]}. */
    final float[] columnSum = new float[BLOCK];

    private void ensureForward(int tokens, int size) {
        if (tokens <= length && size == headSize) {
            return;
        }
        length = size == headSize ? Math.max(tokens, 2 * length) : tokens;
        headSize = size;
        keys = new float[length][size];
        values = new float[length][size];
        valuesT = new float[size][length];
        queriesT = new float[size][BLOCK];
        outT = new float[size][BLOCK];
        weightsT = new float[length][BLOCK];
        rows = new float[BLOCK][size];
        dScoresT = new float[0][];
    }

    private void ensureBackward() {
        if (dScoresT.length == length) {
            return;
        }
        keysT = new float[headSize][length];
        dKeysT = new float[headSize][length];
        dValuesT = new float[headSize][length];
        dOutT = new float[headSize][BLOCK];
        dScoresT = new float[length][BLOCK];
        upright = new float[BLOCK][length];
    }

    /** Scratch that was used before and is used again; as many as threads ever asked at once. */
    static final class Pool {

        private final Queue<AttentionScratch> free = new ConcurrentLinkedQueue<>();

        AttentionScratch takeForward(int tokens, int headSize) {
            AttentionScratch known = free.poll();
            AttentionScratch scratch = known == null ? new AttentionScratch() : known;
            scratch.ensureForward(tokens, headSize);
            return scratch;
        }

        AttentionScratch takeBackward(int tokens, int headSize) {
            AttentionScratch scratch = takeForward(tokens, headSize);
            scratch.ensureBackward();
            return scratch;
        }

        void giveBack(AttentionScratch scratch) {
            free.add(scratch);
        }
    }
}
