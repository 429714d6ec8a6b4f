package io.github.rlhf4j.transformer.tokenizer;

import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * What a byte-level tokenizer does besides merging; immutable, each {@code with…} returns an altered copy.
 *
 * @param pretokenizer how text is cut into pieces
 * @param composes whether text is first put into Unicode's composed form (NFC), as Qwen2 wants it; then
 *     {@code decode(encode(text))} is the composed text
 * @param wholePiecesFirst whether a piece that is in the vocabulary is one token even where no merges lead to it, as in
 *     LLaMA 3 ({@code ignore_merges})
 * @param addedTokens tokens beside the learned vocabulary
 * @param frame tokens at the ends of a text
 */
public record BytePairOptions(
        Pretokenizer pretokenizer,
        boolean composes,
        boolean wholePiecesFirst,
        List<AddedToken> addedTokens,
        TextFrame frame) {

    /** Copies the list. */
    public BytePairOptions {
        addedTokens = List.copyOf(addedTokens);
    }

    /** This split and nothing else. */
    public static BytePairOptions of(Pretokenizer pretokenizer) {
        return new BytePairOptions(pretokenizer, false, false, List.of(), TextFrame.NONE);
    }

    /** The same with {@code composes}. */
    public BytePairOptions withComposes(boolean other) {
        return new BytePairOptions(pretokenizer, other, wholePiecesFirst, addedTokens, frame);
    }

    /** The same with {@code wholePiecesFirst}. */
    public BytePairOptions withWholePiecesFirst(boolean other) {
        return new BytePairOptions(pretokenizer, composes, other, addedTokens, frame);
    }

    /** The same with these added tokens. */
    public BytePairOptions withAddedTokens(List<AddedToken> other) {
        return new BytePairOptions(pretokenizer, composes, wholePiecesFirst, other, frame);
    }

    /** The same with these special tokens, id by name, and no other added tokens. */
    public BytePairOptions withSpecialTokens(Map<String, Integer> specialTokens) {
        return withAddedTokens(specialTokens.entrySet().stream()
                .map(entry -> AddedToken.special(entry.getKey(), entry.getValue()))
                .sorted(Comparator.comparingInt(AddedToken::id))
                .toList());
    }

    /** The same with this frame. */
    public BytePairOptions withFrame(TextFrame other) {
        return new BytePairOptions(pretokenizer, composes, wholePiecesFirst, addedTokens, other);
    }
}
