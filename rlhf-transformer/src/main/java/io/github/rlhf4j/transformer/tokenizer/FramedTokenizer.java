package io.github.rlhf4j.transformer.tokenizer;

import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import java.util.OptionalInt;

/**
 * A tokenizer that knows which special tokens its model expects around a text. {@link #encode} adds none of them, for it
 * encodes parts of texts as well; {@link #encodeFramed} does.
 */
public interface FramedTokenizer extends Tokenizer {

    /** The tokens at the ends of a text. */
    TextFrame frame();

    /** The token that the model expects before every text (BOS); empty when it expects none. */
    default OptionalInt beginningOfText() {
        return frame().addsBeginning() ? frame().beginning() : OptionalInt.empty();
    }

    /** The token that the model expects after every text (EOS); empty when it expects none. */
    default OptionalInt endOfText() {
        return frame().addsEnd() ? frame().end() : OptionalInt.empty();
    }

    /** Encodes a whole text with what the model expects around it (Hugging Face's {@code add_special_tokens=True}). */
    default TokenSequence encodeFramed(String text) {
        TokenSequence tokens = encode(text);
        if (beginningOfText().isPresent()) {
            tokens = TokenSequence.of(beginningOfText().getAsInt()).concat(tokens);
        }
        return endOfText().isPresent()
                ? tokens.concat(TokenSequence.of(endOfText().getAsInt()))
                : tokens;
    }
}
