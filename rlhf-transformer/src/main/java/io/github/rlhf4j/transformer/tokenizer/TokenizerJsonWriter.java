package io.github.rlhf4j.transformer.tokenizer;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.rlhf4j.core.Tokenizer;
import java.util.List;
import java.util.Map;

/** Writes tokenizers in the form of {@code tokenizer.json} that old and new versions of Hugging Face's package read. */
final class TokenizerJsonWriter {

    /** Matches any one character; in Oniguruma {@code .} stops at line feeds. */
    static final String ANY_CHARACTER = "[\\s\\S]";

    /** Is in no vocabulary, so that Hugging Face, too, refuses a character it does not know. */
    static final String NO_UNKNOWN = "<|no unknown token|>";

    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private TokenizerJsonWriter() {}

    static ObjectNode toJson(Tokenizer tokenizer) {
        if (tokenizer instanceof BytePairTokenizer bytePair) {
            return document(bytePair, preTokenizer(bytePair.pretokenizer()), byteLevel(true), bytePairModel(bytePair));
        }
        if (tokenizer instanceof CharacterTokenizer characters) {
            return document(
                    characters,
                    split(ANY_CHARACTER),
                    JSON.objectNode().put("type", "Fuse"),
                    characterModel(characters));
        }
        throw new IllegalArgumentException(
                "cannot save a " + tokenizer.getClass().getName() + " as tokenizer.json; only"
                        + " BytePairTokenizer and CharacterTokenizer have a form there. Save your own tokenizer by your own code.");
    }

    private static ObjectNode document(
            Tokenizer tokenizer, ObjectNode preTokenizer, ObjectNode decoder, ObjectNode model) {
        ObjectNode root = JSON.objectNode();
        root.put("version", "1.0");
        root.putNull("truncation");
        root.putNull("padding");
        root.set("added_tokens", addedTokens(tokenizer.specialTokens()));
        root.putNull("normalizer");
        root.set("pre_tokenizer", preTokenizer);
        root.putNull("post_processor");
        root.set("decoder", decoder);
        root.set("model", model);
        return root;
    }

    private static ArrayNode addedTokens(Map<String, Integer> special) {
        ArrayNode tokens = JSON.arrayNode();
        special.forEach((name, id) -> tokens.addObject()
                .put("id", id)
                .put("content", name)
                .put("single_word", false)
                .put("lstrip", false)
                .put("rstrip", false)
                .put("normalized", false)
                .put("special", true));
        return tokens;
    }

    private static ObjectNode preTokenizer(Pretokenizer pretokenizer) {
        List<String> splits = pretokenizer.splits();
        if (splits.equals(Pretokenizer.gpt2().splits())) {
            return byteLevel(true);
        }
        ObjectNode sequence = JSON.objectNode().put("type", "Sequence");
        ArrayNode steps = sequence.putArray("pretokenizers");
        splits.forEach(split -> steps.add(split(split)));
        steps.add(byteLevel(false));
        return sequence;
    }

    private static ObjectNode split(String regex) {
        ObjectNode split = JSON.objectNode().put("type", "Split");
        split.putObject("pattern").put("Regex", regex);
        return split.put("behavior", "Isolated").put("invert", false);
    }

    private static ObjectNode byteLevel(boolean useGpt2Split) {
        return JSON.objectNode()
                .put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", useGpt2Split);
    }

    private static ObjectNode bytePairModel(BytePairTokenizer tokenizer) {
        ObjectNode model = JSON.objectNode();
        model.put("type", "BPE");
        model.putNull("dropout");
        model.putNull("unk_token");
        model.putNull("continuing_subword_prefix");
        model.putNull("end_of_word_suffix");
        model.put("fuse_unk", false);
        tokenizer.vocabulary().forEach(model.putObject("vocab")::put);
        ArrayNode merges = model.putArray("merges");
        tokenizer.merges().forEach(merge -> merges.add(merge.toString()));
        return model;
    }

    private static ObjectNode characterModel(CharacterTokenizer tokenizer) {
        ObjectNode model = JSON.objectNode().put("type", "WordLevel");
        ObjectNode vocabulary = model.putObject("vocab");
        tokenizer.tokens().forEach(character -> vocabulary.put(character, vocabulary.size()));
        return model.put("unk_token", tokenizer.hasUnknown() ? CharacterTokenizer.UNKNOWN : NO_UNKNOWN);
    }
}
