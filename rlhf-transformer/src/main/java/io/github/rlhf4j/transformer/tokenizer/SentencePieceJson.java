package io.github.rlhf4j.transformer.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * SentencePiece's BPE in {@code tokenizer.json}: spaces are spelled {@code ▁} by a normaliser (LLaMA 2) or by the
 * {@code Metaspace} step (Mistral).
 */
final class SentencePieceJson {

    private static final String SPACE = String.valueOf(PieceVocabulary.SPACE);

    private final TokenizerJsonReader reader;
    private final JsonNode root;

    SentencePieceJson(TokenizerJsonReader reader, JsonNode root) {
        this.reader = reader;
        this.root = root;
    }

    /** Whether a BPE file is of this kind rather than byte-level. */
    static boolean describes(JsonNode root) {
        return root.path("model").path("byte_fallback").asBoolean(false)
                || type(root.path("pre_tokenizer")).equals("Metaspace")
                || steps(root.path("normalizer"), "normalizers").stream()
                        .anyMatch(step -> type(step).equals("Replace"));
    }

    SentencePieceTokenizer read(Map<String, Integer> vocabulary, List<Merge> merges) throws IOException {
        JsonNode model = root.path("model");
        reader.require(
                !model.path("ignore_merges").asBoolean(false),
                "model.ignore_merges",
                model.path("ignore_merges"),
                "must be false");
        List<AddedToken> added = reader.addedTokens();
        PieceVocabulary pieces = pieces(vocabulary, added, model);
        JsonNode metaspace = root.path("pre_tokenizer");
        boolean isMetaspace = type(metaspace).equals("Metaspace");
        LeadingSpace leading = isMetaspace ? metaspace(metaspace) : normalizer();
        SentencePieceOptions options = new SentencePieceOptions(
                leading,
                dropsLeadingSpace(leading),
                isMetaspace && metaspace.path("split").asBoolean(true),
                model.path("fuse_unk").asBoolean(false),
                added,
                reader.frame());
        return new SentencePieceTokenizer(pieces, table(pieces, merges), options);
    }

    private PieceVocabulary pieces(Map<String, Integer> vocabulary, List<AddedToken> added, JsonNode model)
            throws IOException {
        Vocabulary all = new Vocabulary(vocabulary, added);
        String[] tokens = all.inOrder().keySet().toArray(String[]::new);
        TokenType[] types = new TokenType[tokens.length];
        boolean bytes = model.path("byte_fallback").asBoolean(false);
        for (int id = 0; id < tokens.length; id++) {
            boolean isByte = bytes && PieceVocabulary.parseByte(tokens[id]) != PieceVocabulary.NONE;
            types[id] = isByte ? TokenType.BYTE : TokenType.NORMAL;
        }
        added.forEach(token -> types[token.id()] = token.special() ? TokenType.CONTROL : TokenType.USER_DEFINED);
        JsonNode unknown = model.path("unk_token");
        if (!TokenizerJsonReader.isAbsent(unknown)) {
            Integer id = all.inOrder().get(unknown.asText());
            reader.require(id != null, "model.unk_token", unknown, "must be in the vocabulary");
            types[Objects.requireNonNull(id)] = TokenType.UNKNOWN;
        }
        return new PieceVocabulary(Arrays.asList(tokens), Arrays.asList(types));
    }

    private MergeTable table(PieceVocabulary pieces, List<Merge> merges) throws IOException {
        IntBuffer left = new IntBuffer(merges.size());
        IntBuffer right = new IntBuffer(merges.size());
        IntBuffer merged = new IntBuffer(merges.size());
        Map<String, Integer> idOf = new HashMap<>();
        pieces.tokens().forEach(token -> idOf.put(token, idOf.size()));
        for (int rank = 0; rank < merges.size(); rank++) {
            Merge merge = merges.get(rank);
            for (String token : List.of(merge.left(), merge.right(), merge.merged())) {
                if (!idOf.containsKey(token)) {
                    throw reader.refuse(
                            "model.merges[" + rank + "]",
                            "needs token \"" + token
                                    + "\", which is not in the vocabulary. Vocabulary and merges must come from the same training.");
                }
            }
            Integer a = pieces.normal(merge.left());
            Integer b = pieces.normal(merge.right());
            Integer c = pieces.normal(merge.merged());
            if (a != null && b != null && c != null) { // what would spell a special token or a byte is no merge
                left.add(a);
                right.add(b);
                merged.add(c);
            }
        }
        return new MergeTable(left.toArray(), right.toArray(), merged.toArray());
    }

    private LeadingSpace metaspace(JsonNode step) throws IOException {
        reader.require(
                TokenizerJsonReader.isAbsent(root.path("normalizer")),
                "normalizer",
                root.path("normalizer"),
                "must be null beside a Metaspace step");
        reader.require(
                step.path("replacement").asText("").equals(SPACE),
                "pre_tokenizer.replacement",
                step.path("replacement"),
                "must be " + SPACE);
        String scheme =
                step.path("prepend_scheme").asText(step.path("add_prefix_space").asBoolean(true) ? "always" : "never");
        return switch (scheme) {
            case "always" -> LeadingSpace.WHERE_MISSING;
            case "first" -> LeadingSpace.FIRST_WHERE_MISSING;
            case "never" -> LeadingSpace.NEVER;
            default ->
                throw reader.refuse(
                        "pre_tokenizer.prepend_scheme", "must be always, first or never, found \"" + scheme + "\".");
        };
    }

    /** {@code Prepend ▁} if at all, then {@code Replace " " by ▁}, and no other step. */
    private LeadingSpace normalizer() throws IOException {
        JsonNode node = root.path("normalizer");
        reader.require(
                TokenizerJsonReader.isAbsent(root.path("pre_tokenizer")),
                "pre_tokenizer",
                root.path("pre_tokenizer"),
                "must be null or Metaspace where bytes stand for unknown characters");
        List<JsonNode> steps = steps(node, "normalizers");
        boolean prepends = !steps.isEmpty() && type(steps.get(0)).equals("Prepend");
        JsonNode replace = steps.size() == (prepends ? 2 : 1) ? steps.get(steps.size() - 1) : node;
        boolean understood = type(replace).equals("Replace")
                && replace.path("pattern").path("String").asText("").equals(" ")
                && replace.path("content").asText("").equals(SPACE)
                && (!prepends || steps.get(0).path("prepend").asText("").equals(SPACE));
        reader.require(
                understood, "normalizer", node, "must be Prepend " + SPACE + " (or not) and Replace \" \" by " + SPACE);
        return prepends ? LeadingSpace.ALWAYS : LeadingSpace.NEVER;
    }

    private boolean dropsLeadingSpace(LeadingSpace leading) {
        JsonNode decoder = root.path("decoder");
        if (TokenizerJsonReader.isAbsent(decoder)) {
            return leading != LeadingSpace.NEVER;
        }
        return steps(decoder, "decoders").stream()
                .anyMatch(
                        step -> type(step).equals("Strip") && step.path("start").asInt(0) > 0
                                || type(step).equals("Metaspace") && leading != LeadingSpace.NEVER);
    }

    /** Writes normaliser, pre-tokenizer and decoder. */
    static void writeSpaces(SentencePieceOptions options, ObjectNode root) {
        String scheme =
                switch (options.leadingSpace()) {
                    case NEVER -> options.splitsWords() ? "never" : null;
                    case ALWAYS -> null;
                    case WHERE_MISSING -> "always";
                    case FIRST_WHERE_MISSING -> "first";
                };
        if (scheme == null) {
            writeNormalizer(options.leadingSpace() == LeadingSpace.ALWAYS, root);
        } else {
            root.set(
                    "pre_tokenizer",
                    TokenizerJsonWriter.typed("Metaspace")
                            .put("replacement", SPACE)
                            .put("prepend_scheme", scheme)
                            .put("split", options.splitsWords()));
        }
        ObjectNode decoder = TokenizerJsonWriter.typed("Sequence");
        ArrayNode steps = decoder.putArray("decoders");
        steps.add(replace(SPACE, " "));
        steps.add(TokenizerJsonWriter.typed("ByteFallback"));
        steps.add(TokenizerJsonWriter.typed("Fuse"));
        if (options.dropsLeadingSpace()) {
            steps.add(TokenizerJsonWriter.typed("Strip")
                    .put("content", " ")
                    .put("start", 1)
                    .put("stop", 0));
        }
        root.set("decoder", decoder);
    }

    private static void writeNormalizer(boolean prepends, ObjectNode root) {
        ObjectNode normalizer = TokenizerJsonWriter.typed("Sequence");
        ArrayNode steps = normalizer.putArray("normalizers");
        if (prepends) {
            steps.add(TokenizerJsonWriter.typed("Prepend").put("prepend", SPACE));
        }
        steps.add(replace(" ", SPACE));
        root.set("normalizer", normalizer);
    }

    private static ObjectNode replace(String pattern, String content) {
        ObjectNode replace = TokenizerJsonWriter.typed("Replace");
        replace.putObject("pattern").put("String", pattern);
        return replace.put("content", content);
    }

    private static String type(JsonNode node) {
        return node.path("type").asText("");
    }

    private static List<JsonNode> steps(JsonNode node, String field) {
        List<JsonNode> steps = new ArrayList<>();
        if (type(node).equals("Sequence")) {
            node.path(field).forEach(steps::add);
        } else if (node.isObject()) {
            steps.add(node);
        }
        return steps;
    }
}
