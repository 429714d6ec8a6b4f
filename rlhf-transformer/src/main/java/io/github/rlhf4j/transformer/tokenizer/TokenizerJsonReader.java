package io.github.rlhf4j.transformer.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.rlhf4j.core.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads {@code tokenizer.json} and refuses what would be encoded differently here than by Hugging Face. */
final class TokenizerJsonReader {

    private static final Logger LOG = LoggerFactory.getLogger(TokenizerJsonReader.class);
    private static final String OTHER_KIND = " Only byte-level BPE tokenizers without a normalizer, and the character"
            + " tokenizers of this library, can be loaded.";

    private final Path file;
    private final JsonNode root;

    TokenizerJsonReader(Path file, JsonNode root) {
        this.file = file;
        this.root = root;
    }

    Tokenizer read() throws IOException {
        JsonNode model = root.path("model");
        if (!model.isObject()) {
            throw refuse(
                    "model",
                    "must be an object, found " + TokenizerJson.describe(model)
                            + ". The file is no tokenizer.json; save it again.");
        }
        require(isAbsent(root.path("normalizer")), "normalizer", root.path("normalizer"), "must be null");
        try {
            // Files from before the field existed leave the type out.
            return switch (model.path("type").asText(model.has("merges") ? "BPE" : "")) {
                case "BPE" -> bytePair(model);
                case "WordLevel" -> characters(model);
                default ->
                    throw refuse("model.type", "is " + TokenizerJson.describe(model.path("type")) + "." + OTHER_KIND);
            };
        } catch (IllegalArgumentException e) {
            throw new IOException(file + ": " + e.getMessage(), e);
        }
    }

    private BytePairTokenizer bytePair(JsonNode model) throws IOException {
        require(isAbsent(model.path("dropout")), "model.dropout", model.path("dropout"), "must be null");
        for (String field : List.of("continuing_subword_prefix", "end_of_word_suffix")) {
            require(
                    model.path(field).asText("").isEmpty() || isAbsent(model.path(field)),
                    "model." + field,
                    model.path(field),
                    "must be empty");
        }
        for (String field : List.of("byte_fallback", "ignore_merges")) {
            require(!model.path(field).asBoolean(false), "model." + field, model.path(field), "must be false");
        }
        Map<String, Integer> vocabulary = TokenizerJson.ids(file, "model.vocab", model.path("vocab"));
        Pretokenizer pretokenizer = pretokenizer(root.path("pre_tokenizer"));
        return BytePairTokenizer.of(vocabulary, merges(model.path("merges")), specialTokens(), pretokenizer);
    }

    private List<Merge> merges(JsonNode list) throws IOException {
        if (!list.isArray()) {
            throw refuse(
                    "model.merges",
                    "must be a list of pairs, found " + TokenizerJson.describe(list) + ". Save the tokenizer again.");
        }
        List<Merge> merges = new ArrayList<>(list.size());
        for (JsonNode entry : list) {
            merges.add(merge("model.merges[" + merges.size() + "]", entry));
        }
        return merges;
    }

    private Merge merge(String field, JsonNode entry) throws IOException {
        try {
            if (entry.isTextual()) {
                return Merge.parse(entry.textValue());
            }
            if (entry.isArray()
                    && entry.size() == 2
                    && entry.get(0).isTextual()
                    && entry.get(1).isTextual()) {
                return new Merge(entry.get(0).textValue(), entry.get(1).textValue());
            }
        } catch (IllegalArgumentException e) {
            throw refuse(field, "is malformed: " + e.getMessage());
        }
        throw refuse(
                field,
                "must be \"left right\" or [\"left\", \"right\"], found " + TokenizerJson.describe(entry)
                        + ". Save the tokenizer again.");
    }

    private Pretokenizer pretokenizer(JsonNode node) throws IOException {
        List<String> splits = new ArrayList<>();
        boolean sequence = node.path("type").asText("").equals("Sequence");
        Iterable<JsonNode> steps = sequence ? node.path("pretokenizers") : List.of(node);
        boolean byteLevel = false;
        for (JsonNode step : steps) {
            require(!byteLevel, "pre_tokenizer", node, "must end with its ByteLevel step");
            byteLevel = addStep(step, splits);
        }
        require(byteLevel, "pre_tokenizer", node, "must be, or end with, a ByteLevel step");
        return Pretokenizer.of(splits);
    }

    /** Adds what one step splits by; returns whether it is the byte level, which comes last. */
    private boolean addStep(JsonNode step, List<String> splits) throws IOException {
        switch (step.path("type").asText("")) {
            case "ByteLevel" -> {
                require(
                        !step.path("add_prefix_space").asBoolean(true),
                        "pre_tokenizer.add_prefix_space",
                        step.path("add_prefix_space"),
                        "must be false");
                if (step.path("use_regex").asBoolean(true)) {
                    splits.add(Pretokenizer.GPT2_SPLIT);
                }
                return true;
            }
            case "Digits" -> splits.add(step.path("individual_digits").asBoolean(false) ? "\\p{N}" : "\\p{N}+");
            case "Split" -> {
                JsonNode regex = step.path("pattern").path("Regex");
                require(regex.isTextual(), "pre_tokenizer.pattern", step.path("pattern"), "must be a Regex");
                require(
                        step.path("behavior").asText("").equals("Isolated"), "pre_tokenizer.behavior",
                        step.path("behavior"), "must be Isolated");
                require(
                        !step.path("invert").asBoolean(false),
                        "pre_tokenizer.invert",
                        step.path("invert"),
                        "must be false");
                splits.add(regex.textValue());
            }
            default -> require(false, "pre_tokenizer", step, "must be made of Split, Digits and ByteLevel steps");
        }
        return false;
    }

    private CharacterTokenizer characters(JsonNode model) throws IOException {
        JsonNode regex = root.path("pre_tokenizer").path("pattern").path("Regex");
        require(
                regex.asText("").equals(TokenizerJsonWriter.ANY_CHARACTER),
                "pre_tokenizer",
                root.path("pre_tokenizer"),
                "must split into single characters (a Split by the Regex " + TokenizerJsonWriter.ANY_CHARACTER + ")");
        Map<String, Integer> vocabulary = TokenizerJson.ids(file, "model.vocab", model.path("vocab"));
        String unknown = model.path("unk_token").asText("");
        boolean hasUnknown = vocabulary.containsKey(unknown);
        require(
                !hasUnknown || unknown.equals(CharacterTokenizer.UNKNOWN),
                "model.unk_token",
                model.path("unk_token"),
                "must be U+FFFD, or a token that is not in the vocabulary");
        return CharacterTokenizer.of(vocabulary, specialTokens(), hasUnknown);
    }

    private Map<String, Integer> specialTokens() throws IOException {
        JsonNode added = root.path("added_tokens");
        require(isAbsent(added) || added.isArray(), "added_tokens", added, "must be a list");
        Map<String, Integer> special = new LinkedHashMap<>();
        for (int i = 0; i < added.size(); i++) {
            String field = "added_tokens[" + i + "]";
            JsonNode content = added.get(i).path("content");
            if (!content.isTextual() || content.textValue().isEmpty()) {
                throw refuse(
                        field + ".content",
                        "must be the name of the token, found " + TokenizerJson.describe(content) + ". Add it.");
            }
            String name = content.textValue();
            if (special.put(
                            name,
                            TokenizerJson.id(file, field + ".id", added.get(i).path("id")))
                    != null) {
                throw refuse(field + ".content", "names " + name + " for the second time. Remove one of them.");
            }
            if (!added.get(i).path("special").asBoolean(false)) {
                LOG.warn(
                        "{}: added token {} is not marked special; here it is, so encode() does not produce it and decode()"
                                + " leaves it out.",
                        file,
                        name);
            }
        }
        return special;
    }

    private static boolean isAbsent(JsonNode node) {
        return node.isMissingNode() || node.isNull();
    }

    private void require(boolean holds, String field, JsonNode found, String rule) throws IOException {
        if (!holds) {
            throw refuse(field, rule + ", found " + TokenizerJson.describe(found) + "." + OTHER_KIND);
        }
    }

    private IOException refuse(String field, String complaint) {
        return new IOException(file + ": " + field + " " + complaint);
    }
}
