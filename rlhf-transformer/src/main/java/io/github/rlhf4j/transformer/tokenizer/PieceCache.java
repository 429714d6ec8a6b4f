package io.github.rlhf4j.transformer.tokenizer;

import org.jspecify.annotations.Nullable;

/**
 * Remembers the ids of pieces met lately, in a fixed amount of memory; safe for many threads without locks.
 *
 * <p>Each piece has one slot, by its hash, and a newcomer takes the slot over. An entry is immutable, and so may be read
 * by another thread through a data race (JLS §17.5); at worst a thread misses an entry and computes the same ids again.
 */
final class PieceCache {

    private static final int SLOTS = 1 << 14;
    private static final int LONGEST_PIECE = 64; // chars; longer ones seldom come twice

    private final @Nullable Entry[] entries = new Entry[SLOTS];

    private record Entry(String piece, int[] ids) {}

    /** The ids of {@code piece}, not to be altered, or null when they are not remembered. */
    int @Nullable [] get(String piece) {
        Entry entry = entries[slot(piece)];
        return entry != null && entry.piece.equals(piece) ? entry.ids : null;
    }

    void put(String piece, int[] ids) {
        if (piece.length() <= LONGEST_PIECE) {
            entries[slot(piece)] = new Entry(piece, ids);
        }
    }

    private static int slot(String piece) {
        int hash = piece.hashCode() * 0x9E3779B9;
        return hash >>> 18;
    }
}
