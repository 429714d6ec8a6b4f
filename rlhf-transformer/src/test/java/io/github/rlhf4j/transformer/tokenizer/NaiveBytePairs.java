package io.github.rlhf4j.transformer.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Byte-pair encoding as one would write it on a blackboard: the slow reference for trainer and tokenizer. */
final class NaiveBytePairs {

    private NaiveBytePairs() {}

    /** Learns at most {@code count} merges by counting all pairs anew for each. */
    static List<Merge> train(List<String> documents, int count) {
        List<List<String>> pieces = new ArrayList<>();
        for (String document : documents) {
            Pretokenizer.gpt2().pieces(document).forEach(piece -> pieces.add(letters(piece)));
        }
        List<Merge> merges = new ArrayList<>();
        while (merges.size() < count) {
            Map<Merge, Integer> counts = new TreeMap<>(Comparator.comparing(Merge::toString));
            for (List<String> piece : pieces) {
                for (int i = 0; i + 1 < piece.size(); i++) {
                    counts.merge(new Merge(piece.get(i), piece.get(i + 1)), 1, Integer::sum);
                }
            }
            if (counts.isEmpty()) {
                break;
            }
            Merge best = counts.keySet().stream().max(order(counts)).orElseThrow();
            merges.add(best);
            pieces.replaceAll(piece -> apply(best, piece));
        }
        return merges;
    }

    private static Comparator<Merge> order(Map<Merge, Integer> counts) {
        return Comparator.<Merge>comparingInt(counts::get)
                .thenComparing(merge -> ByteAlphabet.bytes(merge.left()), Arrays::compareUnsigned)
                .thenComparing(merge -> ByteAlphabet.bytes(merge.right()), Arrays::compareUnsigned);
    }

    /** The tokens of one text, spelled in the byte alphabet. */
    static List<String> encode(String text, List<Merge> merges) {
        List<String> tokens = new ArrayList<>();
        for (String piece : Pretokenizer.gpt2().pieces(text)) {
            List<String> parts = letters(piece);
            for (Merge merge : merges) {
                parts = apply(merge, parts);
            }
            tokens.addAll(parts);
        }
        return tokens;
    }

    private static List<String> letters(String piece) {
        return List.of(ByteAlphabet.spell(Wtf8.encode(piece)).split(""));
    }

    private static List<String> apply(Merge merge, List<String> tokens) {
        List<String> out = new ArrayList<>();
        for (int i = 0; i < tokens.size(); i++) {
            boolean here = i + 1 < tokens.size()
                    && tokens.get(i).equals(merge.left())
                    && tokens.get(i + 1).equals(merge.right());
            out.add(here ? merge.merged() : tokens.get(i));
            i += here ? 1 : 0;
        }
        return out;
    }
}
