package io.github.rlhf4j.transformer;

import io.github.rlhf4j.transformer.kernels.PackedTokens;
import java.util.Arrays;

/**
 * Which hidden states heads read. Of each sequence the trunk computes what the last of them needs, and in its last block,
 * beside keys and values, only the rows from the first of them on. A sequence of which nothing is read gives one row.
 *
 * @param packed the rows whose hidden states the trunk gives, {@code [M]}
 * @param rows the row of these that is read at each position, sequence by sequence
 */
record ReadRows(PackedTokens packed, int[] rows) {

    /**
     * The rows at some positions.
     *
     * @param sequences all of their tokens
     * @param positions of each sequence, 0-based, within its tokens, in any order
     */
    static ReadRows of(PackedTokens sequences, int[][] positions) {
        int[] firsts = new int[positions.length];
        int[] lengths = new int[positions.length];
        for (int i = 0; i < positions.length; i++) {
            firsts[i] = Arrays.stream(positions[i]).min().orElse(0);
            lengths[i] = Arrays.stream(positions[i]).max().orElse(0) + 1;
        }
        PackedTokens packed = sequences.beginnings(lengths).tails(firsts);
        int[] rows = new int[Arrays.stream(positions).mapToInt(p -> p.length).sum()];
        int at = 0;
        for (int i = 0; i < positions.length; i++) {
            for (int position : positions[i]) {
                rows[at++] = packed.start(i) + position - firsts[i];
            }
        }
        return new ReadRows(packed, rows);
    }
}
