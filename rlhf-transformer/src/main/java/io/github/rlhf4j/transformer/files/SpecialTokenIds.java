package io.github.rlhf4j.transformer.files;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.rlhf4j.core.Tokenizer;
import java.util.Map;
import java.util.OptionalInt;

/**
 * The ids that {@code transformers} wants to know by role. A turn ends with {@code <|end|>} where the tokenizer has it,
 * otherwise with {@code <|endoftext|>}.
 *
 * <p>Padding is never the token that ends a turn: a classifier in {@code transformers} reads its score at the last token
 * that is not padding, and would read it one token too early. Where no other token is free, no padding is named, and
 * {@code transformers} then insists on one sequence at a time.
 *
 * @param documentEnd {@code <|endoftext|>}, also the beginning of a text
 * @param turnEnd what ends a response
 * @param padding {@code <|pad|>}, or the end of a document where a turn ends differently
 */
record SpecialTokenIds(OptionalInt documentEnd, OptionalInt turnEnd, OptionalInt padding) {

    static final String DOCUMENT_END = "<|endoftext|>";
    static final String TURN_END = "<|end|>";
    static final String PADDING = "<|pad|>";

    static SpecialTokenIds of(Tokenizer tokenizer) {
        Map<String, Integer> specials = tokenizer.specialTokens();
        OptionalInt documentEnd = id(specials, DOCUMENT_END);
        OptionalInt ownEnd = id(specials, TURN_END);
        OptionalInt ownPadding = id(specials, PADDING);
        OptionalInt padding = ownPadding.isPresent() || ownEnd.isEmpty() ? ownPadding : documentEnd;
        return new SpecialTokenIds(documentEnd, ownEnd.isPresent() ? ownEnd : documentEnd, padding);
    }

    private static OptionalInt id(Map<String, Integer> specials, String name) {
        Integer id = specials.get(name);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    /** Adds the ids to a {@code config.json}; a missing one as null, so that no default of GPT-2's (50256) applies. */
    void describe(ObjectNode json) {
        put(json, "bos_token_id", documentEnd);
        put(json, "eos_token_id", turnEnd);
        put(json, "pad_token_id", padding);
    }

    /** Adds the ids to a {@code generation_config.json}: both the end of a turn and of a document stop a response. */
    void describeGeneration(ObjectNode json) {
        put(json, "bos_token_id", documentEnd);
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
