package io.github.rlhf4j.transformer.kernels;

/**
 * One query head of one sequence: rows {@code [start, start + length)}; where its queries, keys and values begin in a row.
 *
 * @param attending row of query 0 among those that attend, were it one of them
 * @param first the first query that attends
 */
record AttentionHead(int start, int length, int attending, int first, int column, int keys, int values, int size) {

    static AttentionHead of(PackedTokens packed, AttentionShape shape, int sequence, int number) {
        int size = shape.headSize();
        int length = packed.whole().length(sequence);
        int first = length - packed.length(sequence);
        int group = number / shape.group();
        return new AttentionHead(
                packed.whole().start(sequence),
                length,
                packed.start(sequence) - first,
                first,
                number * size,
                shape.keysFrom() + group * size,
                shape.valuesFrom() + group * size,
                size);
    }

    float scale() {
        return (float) (1 / Math.sqrt(size));
    }

    /** This head's rows of {@code matrix [M, H·D]}, from query {@code first} on. */
    StridedMatrix in(StridedMatrix matrix, int first) {
        return matrix.from(attending + first, column);
    }

    StridedMatrix queries(StridedMatrix qkv, int first) {
        return qkv.from(start + first, column);
    }

    StridedMatrix keys(StridedMatrix qkv) {
        return qkv.from(start, keys);
    }

    StridedMatrix values(StridedMatrix qkv) {
        return qkv.from(start, values);
    }
}
