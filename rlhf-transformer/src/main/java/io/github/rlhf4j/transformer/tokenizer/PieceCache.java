package io.github.rlhf4j.transformer.tokenizer;

import org.jspecify.annotations.Nullable;

/**
 * Remembers the ids of pieces met lately, in a fixed amount of memory; safe for many threads without locks.
 *
 * <p>Each piece has one slot, by its hash, and a newcomer takes the slot over. An entry is immutable, and so may be read
 * by another thread through a data race (JLS §17.5); at worst a thread misses an entry and computes the same ids again.
 */
final class PieceCache {

    private static final int SLOTS = 1 << 16;
    private static final int LONGEST_PIECE = 64; // chars; longer ones seldom come twice

    private final @Nullable Entry[] entries = new Entry[SLOTS];

    private record Entry(String piece, int[] ids) {}

    /** The ids of the piece {@code text[start, end)}, not to be altered, or null when they are not remembered. */
    int @Nullable [] get(String text, int start, int end) {
        int length = end - start;
        if (length > LONGEST_PIECE) {
            return null;
        }
        Entry entry = entries[slot(text, start, end)];
        return entry != null && entry.piece.length() == length && text.startsWith(entry.piece, start)
                ? entry.ids
                : null;
    }

    void put(String text, int start, int end, int[] ids) {
        if (end - start <= LONGEST_PIECE) {
            entries[slot(text, start, end)] = new Entry(text.substring(start, end), ids);
        }
    }

    private static int slot(String text, int start, int end) {
        int hash = 0;
        for (int i = start; i < end; i++) {
            hash = 31 * hash + text.charAt(i);
        }
        return hash * 0x9E3779B9 >>> 16;
    }
}
