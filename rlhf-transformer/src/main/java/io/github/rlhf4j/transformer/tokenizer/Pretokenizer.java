package io.github.rlhf4j.transformer.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Cuts text into the pieces inside which byte pairs may merge (words with their leading space, numbers, punctuation,
 * white space); immutable.
 *
 * <p>A split is a regular expression; its matches are pieces, and what lies between two matches is a piece as well, so
 * that the pieces always add up to the text. Several splits work one after another, each on the pieces of the one before
 * it (Hugging Face's {@code Sequence}). Classes such as {@code \s} are Unicode's, as in Python's {@code regex}; which
 * characters count as {@code \p{L}} or {@code \p{N}} follows the Unicode version of the running Java.
 *
 * <p>The splits of GPT-2, LLaMA 3, Qwen2 and SmolLM2 are loops written by hand. Any other runs on {@code java.util.regex},
 * where a split takes two to four times as long; one that Java does not understand is refused by name.
 */
public final class Pretokenizer {

    private static final Pretokenizer GPT2 = new Pretokenizer(List.of(Split.GPT2));
    private static final Pretokenizer LLAMA3 = new Pretokenizer(List.of(Split.LLAMA3));
    private static final Pretokenizer QWEN2 = new Pretokenizer(List.of(Split.QWEN2));
    private static final Pretokenizer SMOLLM2 = new Pretokenizer(List.of(Split.DIGIT, Split.GPT2));

    private final List<String> splits;
    private final List<Split> stages;

    private Pretokenizer(List<String> splits) {
        this.splits = splits;
        this.stages = splits.stream().map(Split::of).toList();
    }

    /** The split of GPT-2, the default. */
    public static Pretokenizer gpt2() {
        return GPT2;
    }

    /** The split of LLaMA 3: numbers in groups of three, contractions in either case, line breaks with what they end. */
    public static Pretokenizer llama3() {
        return LLAMA3;
    }

    /** The split of Qwen2 and Qwen2.5: LLaMA 3's with each digit by itself. */
    public static Pretokenizer qwen2() {
        return QWEN2;
    }

    /** The splits of SmolLM2: each digit by itself, then GPT-2's. */
    public static Pretokenizer smolLm2() {
        return SMOLLM2;
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
        forEachPiece(text, 0, text.length(), (start, end) -> action.accept(text.substring(start, end)));
    }

    /** The pieces of {@code text[from, to)} by their indices. */
    void forEachPiece(String text, int from, int to, Split.Action action) {
        if (from < to) {
            split(text, from, to, 0, action);
        }
    }

    private void split(String text, int from, int to, int stage, Split.Action action) {
        if (stage == stages.size()) {
            action.piece(from, to);
        } else if (stage == stages.size() - 1) {
            stages.get(stage).forEachPiece(text, from, to, action);
        } else {
            stages.get(stage).forEachPiece(text, from, to, (start, end) -> split(text, start, end, stage + 1, action));
        }
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
