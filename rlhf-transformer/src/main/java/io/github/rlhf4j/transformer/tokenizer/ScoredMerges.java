package io.github.rlhf4j.transformer.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * The merges of a SentencePiece vocabulary, which lists none: any two neighbours merge whose spellings together are a
 * token, the token of the highest score first, of equal ones the leftmost.
 *
 * @see <a href="https://github.com/google/sentencepiece/blob/master/src/bpe_model.cc">SentencePiece, bpe_model.cc</a>
 */
final class ScoredMerges {

    /** All ways to cut a longer token in two would take time that grows with the square of its length. */
    static final int LONGEST_TOKEN = 1024;

    private ScoredMerges() {}

    private record Pair(int left, int right, int merged) {}

    /**
     * @param scores by id, the higher the earlier
     * @throws IllegalArgumentException when a score is no number, there are too few or many, or a token is too long
     */
    static MergeTable table(PieceVocabulary vocabulary, float[] scores) {
        if (scores.length != vocabulary.size()) {
            throw new IllegalArgumentException(
                    "there are " + vocabulary.size() + " tokens but " + scores.length + " scores. Give one for each.");
        }
        int[] priorities = priorities(scores);
        List<Pair> pairs = pairs(vocabulary);
        // As the conversion to Hugging Face's form orders them: by score, then by the ids of what merges.
        pairs.sort(Comparator.<Pair>comparingInt(pair -> priorities[pair.merged])
                .thenComparingInt(Pair::left)
                .thenComparingInt(Pair::right));
        return new MergeTable(
                pairs.stream().mapToInt(Pair::left).toArray(),
                pairs.stream().mapToInt(Pair::right).toArray(),
                pairs.stream().mapToInt(Pair::merged).toArray(),
                pairs.stream().mapToInt(pair -> priorities[pair.merged]).toArray());
    }

    /** For each id how many distinct scores are higher. */
    private static int[] priorities(float[] scores) {
        float[] ascending = scores.clone();
        Arrays.sort(ascending);
        int distinct = 0;
        for (int i = 0; i < ascending.length; i++) {
            if (Float.isNaN(ascending[i])) {
                throw new IllegalArgumentException("a score is no number (NaN). Scores are finite.");
            }
            if (i == 0 || ascending[i] + 0f != ascending[distinct - 1] + 0f) {
                ascending[distinct++] = ascending[i] + 0f; // -0.0 is 0.0
            }
        }
        int[] priorities = new int[scores.length];
        for (int id = 0; id < scores.length; id++) {
            priorities[id] = distinct - 1 - Arrays.binarySearch(ascending, 0, distinct, scores[id] + 0f);
        }
        return priorities;
    }

    private static List<Pair> pairs(PieceVocabulary vocabulary) {
        List<Pair> pairs = new ArrayList<>();
        for (int id = 0; id < vocabulary.size(); id++) {
            String token = vocabulary.tokens().get(id);
            if (vocabulary.types().get(id) != TokenType.NORMAL) {
                continue;
            }
            if (token.length() > LONGEST_TOKEN) {
                throw new IllegalArgumentException("token " + id + " has " + token.length() + " characters; more than "
                        + LONGEST_TOKEN + " are not supported.");
            }
            for (int cut = 1; cut < token.length(); cut++) {
                Integer left = vocabulary.normal(token.substring(0, cut));
                Integer right = left == null ? null : vocabulary.normal(token.substring(cut));
                if (left != null && right != null) {
                    pairs.add(new Pair(left, right, id));
                }
            }
        }
        return pairs;
    }
}
