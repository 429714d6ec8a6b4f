package io.github.rlhf4j.transformer.kernels;

/**
 * One head of one sequence: rows {@code [start, start + length)}, columns {@code [column, column + size)}.
 *
 * @param attending row of query 0 among those that attend, were it one of them
 * @param first the first query that attends
 */
record AttentionHead(int start, int length, int attending, int first, int column, int size, int channels) {

    static AttentionHead of(PackedTokens packed, int heads, int channels, int task) {
        int sequence = task / heads;
        int size = channels / heads;
        int length = packed.whole().length(sequence);
        int first = length - packed.length(sequence);
        return new AttentionHead(
                packed.whole().start(sequence),
                length,
                packed.start(sequence) - first,
                first,
                task % heads * size,
                size,
                channels);
    }

    float scale() {
        return (float) (1 / Math.sqrt(size));
    }

    /** This head's rows of {@code matrix [M, C]}, from query {@code first} on. */
    StridedMatrix in(StridedMatrix matrix, int first) {
        return matrix.from(attending + first, column);
    }

    StridedMatrix queries(StridedMatrix qkv, int first) {
        return qkv.from(start + first, column);
    }

    StridedMatrix keys(StridedMatrix qkv) {
        return qkv.from(start, channels + column);
    }

    StridedMatrix values(StridedMatrix qkv) {
        return qkv.from(start, 2 * channels + column);
    }
}
