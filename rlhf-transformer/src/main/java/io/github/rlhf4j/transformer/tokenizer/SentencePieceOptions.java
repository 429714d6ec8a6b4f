package io.github.rlhf4j.transformer.tokenizer;

import java.util.List;

/**
 * What a {@link SentencePieceTokenizer} does besides merging; immutable.
 *
 * @param leadingSpace where encoding puts a space
 * @param dropsLeadingSpace whether decoding leaves out one space at the very beginning
 * @param splitsWords whether nothing merges across the beginning of a word
 * @param fusesUnknown whether a run of characters that cannot be spelled is one unknown token rather than one each
 * @param addedTokens tokens found as they are (the special ones, which are never found, included)
 * @param frame tokens at the ends of a text
 */
record SentencePieceOptions(
        LeadingSpace leadingSpace,
        boolean dropsLeadingSpace,
        boolean splitsWords,
        boolean fusesUnknown,
        List<AddedToken> addedTokens,
        TextFrame frame) {

    SentencePieceOptions {
        addedTokens = List.copyOf(addedTokens);
    }

    SentencePieceOptions withFrame(TextFrame other) {
        return new SentencePieceOptions(leadingSpace, dropsLeadingSpace, splitsWords, fusesUnknown, addedTokens, other);
    }
}
