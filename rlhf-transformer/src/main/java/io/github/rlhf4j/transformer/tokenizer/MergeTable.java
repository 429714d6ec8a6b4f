package io.github.rlhf4j.transformer.tokenizer;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The merges of a vocabulary by rank, and the loop that applies them; immutable. */
final class MergeTable {

    private final PairMap rankOfPair;
    private final int[] left;
    private final int[] right;
    private final int[] merged;
    private final int @Nullable [] priority; // by merge; null where it is the number of the merge

    /** Merge {@code r} (0 = applied first) makes {@code merged[r]} of {@code left[r]} and {@code right[r]}. */
    MergeTable(int[] left, int[] right, int[] merged) {
        this(left, right, merged, null);
    }

    /**
     * @param priority which merge comes first, in any order, the least first; of equal ones the leftmost in the text. Null:
     *     the merges are in their order
     */
    MergeTable(int[] left, int[] right, int[] merged, int @Nullable [] priority) {
        this.priority = priority;
        this.left = left;
        this.right = right;
        this.merged = merged;
        this.rankOfPair = new PairMap(left.length);
        for (int rank = 0; rank < left.length; rank++) {
            int earlier = rankOfPair.putIfAbsent(PairMap.key(left[rank], right[rank]), rank);
            if (earlier != PairMap.ABSENT) {
                throw new IllegalArgumentException("merge " + rank + " is the same as merge " + earlier
                        + "; each pair may merge only once. Remove the second one.");
            }
        }
    }

    int size() {
        return left.length;
    }

    int left(int rank) {
        return left[rank];
    }

    int right(int rank) {
        return right[rank];
    }

    int merged(int rank) {
        return merged[rank];
    }

    int priority(int rank) {
        return priority == null ? rank : priority[rank];
    }

    /**
     * Applies the merges to {@code ids}, always the one of lowest rank, the leftmost first; the array is altered.
     *
     * <p>A linked list of tokens and a heap of candidate merges: n log n in the length of the piece, so that a page
     * without a space costs no more than a page of words.
     */
    int[] apply(int[] ids) {
        int n = ids.length;
        if (n < 2) {
            return ids;
        }
        int[] previous = new int[n];
        int[] next = new int[n];
        LongHeap candidates = new LongHeap(n);
        for (int i = 0; i < n; i++) {
            previous[i] = i - 1;
            next[i] = i + 1 < n ? i + 1 : -1;
            offer(candidates, ids, i, next[i]);
        }
        int length = n;
        while (!candidates.isEmpty()) {
            long candidate = candidates.poll();
            int at = (int) candidate;
            int follower = next[at];
            int rank = follower < 0 ? PairMap.ABSENT : rankOf(ids[at], ids[follower]);
            if (rank == PairMap.ABSENT || priority(rank) != (int) (candidate >>> 32)) {
                continue; // one of the two has merged with its other neighbour since
            }
            ids[at] = merged[rank];
            ids[follower] = -1;
            next[at] = next[follower];
            if (next[at] >= 0) {
                previous[next[at]] = at;
            }
            length--;
            offer(candidates, ids, previous[at], at);
            offer(candidates, ids, at, next[at]);
        }
        return compact(ids, length);
    }

    private void offer(LongHeap candidates, int[] ids, int at, int follower) {
        if (at >= 0 && follower >= 0) {
            int rank = rankOf(ids[at], ids[follower]);
            if (rank != PairMap.ABSENT) {
                candidates.offer((long) priority(rank) << 32 | at);
            }
        }
    }

    private int rankOf(int leftId, int rightId) {
        return leftId < 0 ? PairMap.ABSENT : rankOfPair.get(PairMap.key(leftId, rightId));
    }

    private static int[] compact(int[] ids, int length) {
        int[] out = new int[length];
        int n = 0;
        for (int id : ids) {
            if (id >= 0) {
                out[n++] = id;
            }
        }
        return out;
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof MergeTable other
                && Arrays.equals(left, other.left)
                && Arrays.equals(right, other.right)
                && Arrays.equals(merged, other.merged)
                && Arrays.equals(priority, other.priority);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(left) + Arrays.hashCode(right);
    }
}
