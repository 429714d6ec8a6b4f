package io.github.rlhf4j.transformer.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.github.rlhf4j.core.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads {@code tokenizer.json} and refuses what would be encoded differently here than by Hugging Face. */
final class TokenizerJsonReader {

    private static final Logger LOG = LoggerFactory.getLogger(TokenizerJsonReader.class);
    private static final String OTHER_KIND =
            " Only byte-level BPE tokenizers (with no normalizer or NFC), SentencePiece's"
                    + " BPE, and the character tokenizers of this library, can be loaded.";

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
        try {
            // Files from before the field existed leave the type out.
            return switch (model.path("type").asText(model.has("merges") ? "BPE" : "")) {
                case "BPE" -> SentencePieceJson.describes(root) ? sentencePiece() : bytePair(model);
                case "WordLevel" -> characters(model);
                default ->
                    throw refuse("model.type", "is " + TokenizerJson.describe(model.path("type")) + "." + OTHER_KIND);
            };
        } catch (IllegalArgumentException e) {
            throw new IOException(file + ": " + e.getMessage(), e);
        }
    }

    private SentencePieceTokenizer sentencePiece() throws IOException {
        JsonNode model = plainModel();
        return new SentencePieceJson(this, root)
                .read(TokenizerJson.ids(file, "model.vocab", model.path("vocab")), merges(model.path("merges")));
    }

    private BytePairTokenizer bytePair(JsonNode model) throws IOException {
        plainModel();
        require(
                !model.path("byte_fallback").asBoolean(false),
                "model.byte_fallback",
                model.path("byte_fallback"),
                "must be false");
        Map<String, Integer> vocabulary = TokenizerJson.ids(file, "model.vocab", model.path("vocab"));
        BytePairOptions options = BytePairOptions.of(pretokenizer(root.path("pre_tokenizer")))
                .withComposes(composes(root.path("normalizer")))
                .withWholePiecesFirst(model.path("ignore_merges").asBoolean(false))
                .withAddedTokens(addedTokens())
                .withFrame(frame());
        BytePairTokenizer tokenizer = BytePairTokenizer.ofFile(vocabulary, merges(model.path("merges")), options);
        if (!tokenizer.bytesWithoutToken().isEmpty()) {
            LOG.info(
                    "{}: no token for the bytes {}; they are left out of what is encoded, as by other libraries",
                    file,
                    tokenizer.bytesWithoutToken());
        }
        return tokenizer;
    }

    /** The model, without what no tokenizer here can do. */
    private JsonNode plainModel() throws IOException {
        JsonNode model = root.path("model");
        require(isAbsent(model.path("dropout")), "model.dropout", model.path("dropout"), "must be null");
        for (String field : List.of("continuing_subword_prefix", "end_of_word_suffix")) {
            require(
                    model.path(field).asText("").isEmpty() || isAbsent(model.path(field)),
                    "model." + field,
                    model.path(field),
                    "must be empty");
        }
        return model;
    }

    /** Whether the normaliser composes characters; any other one is refused. */
    private boolean composes(JsonNode normalizer) throws IOException {
        boolean nfc = normalizer.path("type").asText("").equals("NFC");
        boolean nothing = isAbsent(normalizer)
                || normalizer.path("type").asText("").equals("Sequence")
                        && normalizer.path("normalizers").isEmpty();
        require(nfc || nothing, "normalizer", normalizer, "must be null or NFC");
        return nfc;
    }

    /** What stands around a text: {@code TemplateProcessing} with at most one special token on each side. */
    TextFrame frame() {
        JsonNode template = template(root.path("post_processor"));
        List<OptionalInt> before = new ArrayList<>();
        List<OptionalInt> after = new ArrayList<>();
        List<OptionalInt> side = before;
        for (JsonNode part : template.path("single")) {
            if (part.has("Sequence")) {
                side = after;
            } else {
                JsonNode ids = template.path("special_tokens")
                        .path(part.path("SpecialToken").path("id").asText(""))
                        .path("ids");
                side.add(
                        ids.size() == 1 && ids.get(0).canConvertToInt()
                                ? OptionalInt.of(ids.get(0).intValue())
                                : OptionalInt.empty());
            }
        }
        boolean understood = before.size() <= 1
                && after.size() <= 1
                && before.stream().allMatch(OptionalInt::isPresent)
                && after.stream().allMatch(OptionalInt::isPresent);
        if (!understood) {
            LOG.warn("{}: the post_processor adds several tokens on one side; beginningOfText() says none", file);
            return TextFrame.NONE;
        }
        OptionalInt beginning = before.isEmpty() ? OptionalInt.empty() : before.get(0);
        OptionalInt end = after.isEmpty() ? OptionalInt.empty() : after.get(0);
        return new TextFrame(beginning, end, beginning.isPresent(), end.isPresent());
    }

    private JsonNode template(JsonNode processor) {
        String type = processor.path("type").asText("");
        if (type.equals("Sequence")) {
            for (JsonNode step : processor.path("processors")) {
                if (step.path("type").asText("").equals("TemplateProcessing")) {
                    return step;
                }
            }
        } else if (type.equals("TemplateProcessing")) {
            return processor;
        } else if (!type.isEmpty() && !type.equals("ByteLevel")) {
            LOG.warn("{}: post_processor {} is not understood; beginningOfText() says none", file, type);
        }
        return MissingNode.getInstance();
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
                    splits.add(Split.GPT2);
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
        Map<String, Integer> special = new LinkedHashMap<>();
        for (AddedToken token : addedTokens()) {
            special.put(token.content(), token.id());
            if (!token.special()) {
                LOG.warn(
                        "{}: added token {} is not marked special; here it is, so encode() does not produce it and decode()"
                                + " leaves it out.",
                        file,
                        token.content());
            }
        }
        return special;
    }

    List<AddedToken> addedTokens() throws IOException {
        JsonNode list = root.path("added_tokens");
        require(isAbsent(list) || list.isArray(), "added_tokens", list, "must be a list");
        Map<String, AddedToken> tokens = new LinkedHashMap<>();
        for (int i = 0; i < list.size(); i++) {
            String field = "added_tokens[" + i + "]";
            JsonNode token = list.get(i);
            JsonNode content = token.path("content");
            if (!content.isTextual() || content.textValue().isEmpty()) {
                throw refuse(
                        field + ".content",
                        "must be the name of the token, found " + TokenizerJson.describe(content) + ". Add it.");
            }
            AddedToken read = new AddedToken(
                    content.textValue(),
                    TokenizerJson.id(file, field + ".id", token.path("id")),
                    token.path("special").asBoolean(false),
                    token.path("single_word").asBoolean(false),
                    token.path("lstrip").asBoolean(false),
                    token.path("rstrip").asBoolean(false),
                    token.path("normalized").asBoolean(false));
            if (tokens.put(read.content(), read) != null) {
                throw refuse(
                        field + ".content", "names " + read.content() + " for the second time. Remove one of them.");
            }
        }
        return List.copyOf(tokens.values());
    }

    static boolean isAbsent(JsonNode node) {
        return node.isMissingNode() || node.isNull();
    }

    void require(boolean holds, String field, JsonNode found, String rule) throws IOException {
        if (!holds) {
            throw refuse(field, rule + ", found " + TokenizerJson.describe(found) + "." + OTHER_KIND);
        }
    }

    IOException refuse(String field, String complaint) {
        return new IOException(file + ": " + field + " " + complaint);
    }
}
