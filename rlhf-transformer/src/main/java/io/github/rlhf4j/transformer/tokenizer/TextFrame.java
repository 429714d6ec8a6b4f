package io.github.rlhf4j.transformer.tokenizer;

import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * The special tokens that stand at the ends of a text, and whether the model wants them there.
 *
 * @param beginning id of the token that begins a text (BOS), if there is one
 * @param end id of the token that ends a text (EOS), if there is one
 * @param addsBeginning whether a model expects {@code beginning} before every text
 * @param addsEnd whether a model expects {@code end} after every text
 */
public record TextFrame(OptionalInt beginning, OptionalInt end, boolean addsBeginning, boolean addsEnd) {

    /** No such tokens. */
    public static final TextFrame NONE = new TextFrame(OptionalInt.empty(), OptionalInt.empty(), false, false);

    /** What is added must be there. */
    public TextFrame {
        if (addsBeginning && beginning.isEmpty() || addsEnd && end.isEmpty()) {
            throw new IllegalArgumentException("a token is to be added to each text, but there is none: beginning "
                    + beginning + ", end " + end + ". Name its id, or add none.");
        }
    }

    /** Refuses ids that are outside a vocabulary of this size. */
    void requireWithin(int size) {
        IntStream.concat(beginning.stream(), end.stream())
                .filter(id -> id < 0 || id >= size)
                .findFirst()
                .ifPresent(id -> {
                    throw new IllegalArgumentException("token id " + id + " at the ends of a text is outside the"
                            + " vocabulary of " + size + " tokens. Correct the id.");
                });
    }
}
