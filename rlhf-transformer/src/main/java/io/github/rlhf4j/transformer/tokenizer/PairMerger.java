package io.github.rlhf4j.transformer.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;

/**
 * The inner loop of byte-pair training, in time that follows the number of merged places rather than the size of the
 * corpus.
 *
 * <p>The distinct pieces lie one after another in one doubly linked array of tokens. Each pair knows how often it occurs
 * and the places where it was ever seen; a merge visits those places only and corrects the counts of their neighbours. The
 * queue of pairs is put right lazily: an entry whose count is out of date goes back with the count of now.
 */
final class PairMerger {

    private final List<byte[]> tokens = new ArrayList<>();
    private final Map<String, Integer> idOfSpelling = new HashMap<>();
    private final List<Merge> merges = new ArrayList<>();

    private final int[] token; // by place; -1 where a token was swallowed by the one on its left
    private final int[] previous;
    private final int[] next; // -1 at the end of a piece
    private final int[] pieceOf;
    private final long[] weight; // by piece: its number of occurrences

    private final PairMap indexOfPair = new PairMap(1 << 12);
    private final List<Pair> pairs = new ArrayList<>();
    private final PriorityQueue<Candidate> queue = new PriorityQueue<>(this::mergesBefore);

    private int rounds;

    private static final class Pair {
        private final int left;
        private final int right;
        private final IntBuffer places = new IntBuffer(4);
        private long count;
        private boolean merged;
        private int grownInRound = -1;

        Pair(int left, int right) {
            this.left = left;
            this.right = right;
        }
    }

    private record Candidate(Pair pair, long count) {}

    /** Starts from pieces and how often each occurs ({@code [0]} of the value). */
    PairMerger(Map<String, long[]> pieces) {
        int[] idOfByte = new int[256];
        for (int id = 0; id < 256; id++) {
            int b = ByteAlphabet.byteAt(id);
            idOfByte[b] = id;
            addToken(new byte[] {(byte) b});
        }
        List<byte[]> bytes = pieces.keySet().stream().map(Wtf8::encode).toList();
        int places = Math.toIntExact(bytes.stream().mapToLong(b -> b.length).sum());
        token = new int[places];
        previous = new int[places];
        next = new int[places];
        pieceOf = new int[places];
        weight = pieces.values().stream().mapToLong(count -> count[0]).toArray();
        int place = 0;
        for (int piece = 0; piece < bytes.size(); piece++) {
            byte[] pieceBytes = bytes.get(piece);
            for (int i = 0; i < pieceBytes.length; i++, place++) {
                token[place] = idOfByte[pieceBytes[i] & 0xFF];
                previous[place] = i == 0 ? -1 : place - 1;
                next[place] = i + 1 == pieceBytes.length ? -1 : place + 1;
                pieceOf[place] = piece;
            }
        }
        countAllPairs();
    }

    private void countAllPairs() {
        for (int place = 0; place < token.length; place++) {
            if (next[place] >= 0) {
                appear(place);
            }
        }
        pairs.forEach(this::enqueue);
    }

    /** Merges until there are {@code size} tokens, or no pair is left. */
    void mergeUntil(int size) {
        while (tokens.size() < size && !queue.isEmpty()) {
            Candidate candidate = queue.poll();
            Pair pair = candidate.pair;
            if (candidate.count == pair.count) {
                merge(pair);
            } else if (candidate.count > pair.count) {
                enqueue(pair);
            } // else the pair has grown since, and a newer entry stands in the queue
        }
    }

    private void merge(Pair pair) {
        byte[] bytes = concat(tokens.get(pair.left), tokens.get(pair.right));
        if (!pair.merged) {
            merges.add(
                    new Merge(ByteAlphabet.spell(tokens.get(pair.left)), ByteAlphabet.spell(tokens.get(pair.right))));
            pair.merged = true;
        }
        // Two merges may spell the same token, as in aa·a and a·aa: it stays one token, and a pair may come back by it.
        Integer known = idOfSpelling.get(ByteAlphabet.spell(bytes));
        int merged = known != null ? known : addToken(bytes);
        List<Pair> grown = new ArrayList<>();
        rounds++;
        int[] places = pair.places.toArray();
        Arrays.sort(places); // from left to right, so that aaa becomes (aa)a
        for (int place : places) {
            int follower = token[place] == pair.left ? next[place] : -1;
            if (follower >= 0 && token[follower] == pair.right) {
                mergeAt(place, follower, merged, grown);
            }
        }
        grown.forEach(this::enqueue);
    }

    private void mergeAt(int place, int follower, int merged, List<Pair> grown) {
        int before = previous[place];
        int after = next[follower];
        disappear(place);
        if (before >= 0) {
            disappear(before);
        }
        if (after >= 0) {
            disappear(follower);
            previous[after] = place;
        }
        token[place] = merged;
        token[follower] = -1;
        next[place] = after;
        if (before >= 0) {
            noteGrown(appear(before), grown);
        }
        if (after >= 0) {
            noteGrown(appear(place), grown);
        }
    }

    private void noteGrown(Pair pair, List<Pair> grown) {
        if (pair.grownInRound != rounds) {
            pair.grownInRound = rounds;
            grown.add(pair);
        }
    }

    private Pair appear(int place) {
        int left = token[place];
        int right = token[next[place]];
        int index = indexOfPair.putIfAbsent(PairMap.key(left, right), pairs.size());
        if (index == PairMap.ABSENT) {
            index = pairs.size();
            pairs.add(new Pair(left, right));
        }
        Pair pair = pairs.get(index);
        pair.count += weight[pieceOf[place]];
        pair.places.add(place);
        return pair;
    }

    private void disappear(int place) {
        Pair pair = pairs.get(indexOfPair.get(PairMap.key(token[place], token[next[place]])));
        pair.count -= weight[pieceOf[place]];
    }

    private void enqueue(Pair pair) {
        if (pair.count > 0) {
            queue.add(new Candidate(pair, pair.count));
        }
    }

    private int mergesBefore(Candidate a, Candidate b) {
        if (a.count != b.count) {
            return Long.compare(b.count, a.count);
        }
        int left = Arrays.compareUnsigned(tokens.get(b.pair.left), tokens.get(a.pair.left));
        return left != 0 ? left : Arrays.compareUnsigned(tokens.get(b.pair.right), tokens.get(a.pair.right));
    }

    private int addToken(byte[] bytes) {
        tokens.add(bytes);
        idOfSpelling.put(ByteAlphabet.spell(bytes), tokens.size() - 1);
        return tokens.size() - 1;
    }

    private static byte[] concat(byte[] left, byte[] right) {
        byte[] joined = Arrays.copyOf(left, left.length + right.length);
        System.arraycopy(right, 0, joined, left.length, right.length);
        return joined;
    }

    /** The tokens' bytes by id: the 256 bytes in GPT-2's order, then what was merged. */
    List<byte[]> tokens() {
        return tokens;
    }

    /** The merges, the first one first. */
    List<Merge> merges() {
        return merges;
    }
}
