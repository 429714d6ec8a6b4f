package io.github.rlhf4j.transformer.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Cuts text into the pieces inside which byte pairs may merge (words with their leading space, numbers, punctuation,
 * white space); immutable.
 *
 * <p>A split is a regular expression; its matches are pieces, and what lies between two matches is a piece as well, so
 * that the pieces always add up to the text. Several splits work one after another, each on the pieces of the one before
 * it (Hugging Face's {@code Sequence}). Classes such as {@code \s} are Unicode's, as in Python's {@code regex}; which
 * characters count as {@code \p{L}} or {@code \p{N}} follows the Unicode version of the running Java.
 */
public final class Pretokenizer {

    /** GPT-2's split (Radford et al. 2019, §2.2): contractions, words, numbers, other marks, white space. */
    static final String GPT2_SPLIT = "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

    private static final Pretokenizer GPT2 = new Pretokenizer(List.of(GPT2_SPLIT));

    private final List<String> splits;
    private final List<Pattern> patterns;

    private Pretokenizer(List<String> splits) {
        this.splits = splits;
        this.patterns = splits.stream().map(Pretokenizer::compile).toList();
    }

    /** The split of GPT-2, the default. */
    public static Pretokenizer gpt2() {
        return GPT2;
    }

    /**
     * A sequence of splits, each a regular expression that Java and Oniguruma (Hugging Face) both understand; none means
     * that the whole text is one piece.
     *
     * @throws IllegalArgumentException when one is no regular expression
     */
    public static Pretokenizer of(List<String> splits) {
        return splits.equals(GPT2.splits) ? GPT2 : new Pretokenizer(List.copyOf(splits));
    }

    private static Pattern compile(String split) {
        try {
            return Pattern.compile(split, Pattern.UNICODE_CHARACTER_CLASS);
        } catch (PatternSyntaxException e) {
            throw new IllegalArgumentException(
                    "split pattern \"" + split + "\" is no regular expression Java understands: " + e.getDescription()
                            + " near index " + e.getIndex() + ". Write it for java.util.regex.",
                    e);
        }
    }

    /** The regular expressions, in the order they are applied. */
    public List<String> splits() {
        return splits;
    }

    /** The pieces of {@code text}, in order, none empty; joined, they are the text. */
    public List<String> pieces(String text) {
        List<String> pieces = new ArrayList<>();
        forEachPiece(text, pieces::add);
        return pieces;
    }

    void forEachPiece(String text, Consumer<String> action) {
        split(text, 0, action);
    }

    private void split(String text, int stage, Consumer<String> action) {
        if (text.isEmpty()) {
            return;
        }
        if (stage == patterns.size()) {
            action.accept(text);
            return;
        }
        if (splits.get(stage).equals(GPT2_SPLIT)) {
            Gpt2Split.forEachPiece(text, piece -> split(piece, stage + 1, action));
            return;
        }
        Matcher matcher = patterns.get(stage).matcher(text);
        int end = 0;
        while (matcher.find()) {
            split(text.substring(end, matcher.start()), stage + 1, action);
            split(matcher.group(), stage + 1, action);
            end = matcher.end();
        }
        split(text.substring(end), stage + 1, action);
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof Pretokenizer other && splits.equals(other.splits);
    }

    @Override
    public int hashCode() {
        return splits.hashCode();
    }

    @Override
    public String toString() {
        return "Pretokenizer" + splits;
    }
}
