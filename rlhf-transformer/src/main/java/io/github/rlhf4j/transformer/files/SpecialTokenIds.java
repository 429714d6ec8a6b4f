package io.github.rlhf4j.transformer.files;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.transformer.tokenizer.FramedTokenizer;
import io.github.rlhf4j.transformer.tokenizer.TextFrame;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * The ids that {@code transformers} wants to know by role: those of the tokenizer's frame, else of special tokens by the names
 * that published models give them. A turn ends with {@code <|end|>} where the tokenizer has it.
 *
 * <p>Padding is never the token that ends a turn: a classifier in {@code transformers} reads its score at the last token
 * that is not padding, and would read it one token too early. Where no other token is free, no padding is named, and
 * {@code transformers} then insists on one sequence at a time.
 *
 * @param beginning what begins a text
 * @param documentEnd what ends a document
 * @param turnEnd what ends a response
 * @param padding a token for padding, or the end of a document where a turn ends differently
 */
record SpecialTokenIds(OptionalInt beginning, OptionalInt documentEnd, OptionalInt turnEnd, OptionalInt padding) {

    private static final String END_OF_TEXT = "<|endoftext|>"; // in GPT-2's family the beginning as well
    private static final List<String> BEGINNINGS = List.of("<s>", "<|begin_of_text|>", "<bos>", END_OF_TEXT);
    private static final List<String> DOCUMENT_ENDS = List.of(END_OF_TEXT, "<|end_of_text|>", "</s>", "<eos>");
    private static final List<String> TURN_ENDS = List.of("<|end|>");
    private static final List<String> PADDINGS =
            List.of("<|pad|>", "<pad>", "[PAD]", "<|padding|>", "<|finetune_right_pad_id|>");

    static SpecialTokenIds of(Tokenizer tokenizer) {
        Map<String, Integer> specials = tokenizer.specialTokens();
        TextFrame frame = tokenizer instanceof FramedTokenizer framed ? framed.frame() : TextFrame.NONE;
        OptionalInt documentEnd = first(id(specials, DOCUMENT_ENDS), frame.end());
        OptionalInt turnEnd = first(id(specials, TURN_ENDS), first(frame.end(), documentEnd));
        OptionalInt padding = first(id(specials, PADDINGS), documentEnd);
        return new SpecialTokenIds(
                first(frame.beginning(), id(specials, BEGINNINGS)),
                documentEnd,
                turnEnd,
                padding.equals(turnEnd) ? OptionalInt.empty() : padding);
    }

    private static OptionalInt first(OptionalInt one, OptionalInt otherwise) {
        return one.isPresent() ? one : otherwise;
    }

    private static OptionalInt id(Map<String, Integer> specials, List<String> names) {
        return names.stream()
                .filter(specials::containsKey)
                .mapToInt(specials::get)
                .findFirst();
    }

    /** Adds the ids to a {@code config.json}; a missing one as null, so that no default of GPT-2's (50256) applies. */
    void describe(ObjectNode json) {
        put(json, "bos_token_id", beginning);
        put(json, "eos_token_id", turnEnd);
        put(json, "pad_token_id", padding);
    }

    /** Adds the ids to a {@code generation_config.json}: both the end of a turn and of a document stop a response. */
    void describeGeneration(ObjectNode json) {
        put(json, "bos_token_id", beginning);
        if (turnEnd.isPresent() && documentEnd.isPresent() && !turnEnd.equals(documentEnd)) {
            ArrayNode ends = json.putArray("eos_token_id");
            ends.add(turnEnd.getAsInt()).add(documentEnd.getAsInt());
        } else {
            put(json, "eos_token_id", turnEnd);
        }
        put(json, "pad_token_id", padding);
    }

    private static void put(ObjectNode json, String field, OptionalInt id) {
        if (id.isPresent()) {
            json.put(field, id.getAsInt());
        } else {
            json.putNull(field);
        }
    }
}
