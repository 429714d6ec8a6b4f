package io.github.rlhf4j.transformer.tokenizer;

/**
 * A token that stands beside the learned vocabulary, as {@code added_tokens} of {@code tokenizer.json} lists it.
 *
 * <p>A special one is never found in text. Any other is found wherever its content stands, before anything merges.
 *
 * @param content what it is called, and, unless special, the text it stands for
 * @param id its id, from 0 up
 * @param special whether it has no text of its own: {@code encode} never yields it, {@code decode} leaves it out
 * @param singleWord whether it is found only where no letter, digit or mark of a word stands beside it
 * @param lstrip whether it takes along the white space before it
 * @param rstrip whether it takes along the white space after it
 * @param normalized whether it is looked for after the tokenizer normalised the text
 * @see <a href="https://huggingface.co/docs/tokenizers/api/added-tokens">Hugging Face: Added Tokens</a>
 */
public record AddedToken(
        String content,
        int id,
        boolean special,
        boolean singleWord,
        boolean lstrip,
        boolean rstrip,
        boolean normalized) {

    /** Checks that there is a content and an id from 0 up. */
    public AddedToken {
        if (content.isEmpty()) {
            throw new IllegalArgumentException("an added token has no content. Name it like <|endoftext|>.");
        }
        if (id < 0) {
            throw new IllegalArgumentException("added token " + content + " has id " + id + "; ids start at 0.");
        }
    }

    /** A special token. */
    public static AddedToken special(String name, int id) {
        return new AddedToken(name, id, true, false, false, false, false);
    }

    /** A token found wherever {@code content} stands in a text, as the user wrote it. */
    public static AddedToken ordinary(String content, int id) {
        return new AddedToken(content, id, false, false, false, false, false);
    }
}
