package io.github.rlhf4j.transformer.tokenizer;

/**
 * One merge of byte-pair encoding: where the tokens {@code left} and {@code right} stand side by side, they become one.
 *
 * @param left spelling of the left token in GPT-2's byte alphabet (the space is {@code Ġ})
 * @param right spelling of the right token
 */
public record Merge(String left, String right) {

    /** Both spellings must be non-empty and free of spaces, which the alphabet does not have. */
    public Merge {
        if (left.isEmpty() || right.isEmpty() || left.indexOf(' ') >= 0 || right.indexOf(' ') >= 0) {
            throw new IllegalArgumentException("a merge needs two tokens without spaces, got \"" + left + "\" and \""
                    + right + "\". Spell a space as Ġ, as GPT-2 does.");
        }
    }

    /**
     * Reads a merge written as {@code "left right"}.
     *
     * @throws IllegalArgumentException when there are not exactly two tokens
     */
    public static Merge parse(String line) {
        int space = line.indexOf(' ');
        if (space < 0) {
            throw new IllegalArgumentException(
                    "\"" + line + "\" is no merge: it must be two tokens with one space between them.");
        }
        return new Merge(line.substring(0, space), line.substring(space + 1));
    }

    /** The spelling of the token that the merge makes. */
    public String merged() {
        return left + right;
    }

    /** The merge as one line of {@code merges.txt}. */
    @Override
    public String toString() {
        return left + " " + right;
    }
}
