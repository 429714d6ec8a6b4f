package io.github.rlhf4j.transformer.tokenizer;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.rlhf4j.core.Tokenizer;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

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
            return bytePair(bytePair);
        }
        if (tokenizer instanceof SentencePieceTokenizer pieces) {
            return sentencePiece(pieces);
        }
        if (tokenizer instanceof CharacterTokenizer characters) {
            ObjectNode root = document(BytePairOptions.of(Pretokenizer.gpt2())
                    .withSpecialTokens(characters.specialTokens())
                    .addedTokens());
            root.set("pre_tokenizer", split(ANY_CHARACTER));
            root.set("decoder", typed("Fuse"));
            root.set("model", characterModel(characters));
            return root;
        }
        throw new IllegalArgumentException(
                "cannot save a " + tokenizer.getClass().getName() + " as tokenizer.json; only"
                        + " BytePairTokenizer, SentencePieceTokenizer and CharacterTokenizer have a form there. Save your own"
                        + " tokenizer by your own code.");
    }

    private static ObjectNode bytePair(BytePairTokenizer tokenizer) {
        BytePairOptions options = tokenizer.options();
        ObjectNode root = document(options.addedTokens());
        if (options.composes()) {
            root.set("normalizer", typed("NFC"));
        }
        root.set("pre_tokenizer", preTokenizer(options.pretokenizer()));
        frame(root, options.frame(), options.addedTokens());
        root.set("decoder", byteLevel(true));
        ObjectNode model = bytePairModel(tokenizer.merges());
        model.put("ignore_merges", options.wholePiecesFirst());
        ObjectNode vocabulary = model.putObject("vocab");
        tokenizer.vocabulary().forEach((token, id) -> {
            if (!tokenizer.isAdded(id)) {
                vocabulary.put(token, id);
            }
        });
        root.set("model", model);
        return root;
    }

    private static ObjectNode sentencePiece(SentencePieceTokenizer tokenizer) {
        SentencePieceOptions options = tokenizer.options();
        ObjectNode root = document(options.addedTokens());
        SentencePieceJson.writeSpaces(options, root);
        frame(root, options.frame(), options.addedTokens());
        ObjectNode model = bytePairModel(tokenizer.merges());
        model.put("fuse_unk", options.fusesUnknown());
        model.put("byte_fallback", tokenizer.vocabulary().hasBytes());
        model.put("ignore_merges", false);
        int unknown = tokenizer.vocabulary().unknown();
        if (unknown != PieceVocabulary.NONE) {
            model.put("unk_token", tokenizer.tokens().get(unknown));
        }
        ObjectNode vocabulary = model.putObject("vocab");
        tokenizer.tokens().forEach(token -> vocabulary.put(token, vocabulary.size()));
        root.set("model", model);
        return root;
    }

    private static ObjectNode document(List<AddedToken> addedTokens) {
        ObjectNode root = JSON.objectNode();
        root.put("version", "1.0");
        root.putNull("truncation");
        root.putNull("padding");
        root.set("added_tokens", addedTokens(addedTokens));
        root.putNull("normalizer");
        root.putNull("pre_tokenizer");
        root.putNull("post_processor");
        root.putNull("decoder");
        return root;
    }

    static ObjectNode typed(String type) {
        return JSON.objectNode().put("type", type);
    }

    private static ArrayNode addedTokens(List<AddedToken> addedTokens) {
        ArrayNode tokens = JSON.arrayNode();
        addedTokens.stream().sorted(Comparator.comparingInt(AddedToken::id)).forEach(token -> tokens.addObject()
                .put("id", token.id())
                .put("content", token.content())
                .put("single_word", token.singleWord())
                .put("lstrip", token.lstrip())
                .put("rstrip", token.rstrip())
                .put("normalized", token.normalized())
                .put("special", token.special()));
        return tokens;
    }

    /** Says which tokens a model expects around a text. */
    private static void frame(ObjectNode root, TextFrame frame, List<AddedToken> addedTokens) {
        if (!frame.addsBeginning() && !frame.addsEnd()) {
            return;
        }
        ObjectNode processor = typed("TemplateProcessing");
        ArrayNode single = processor.putArray("single");
        ArrayNode pair = processor.putArray("pair");
        ObjectNode special = processor.putObject("special_tokens");
        for (int i = 0; i < 2; i++) {
            String sequence = i == 0 ? "A" : "B";
            List<ArrayNode> templates = i == 0 ? List.of(single, pair) : List.of(pair);
            for (ArrayNode template : templates) {
                if (frame.addsBeginning()) {
                    part(template, "SpecialToken", name(frame.beginning().getAsInt(), addedTokens), i);
                }
                part(template, "Sequence", sequence, i);
                if (frame.addsEnd()) {
                    part(template, "SpecialToken", name(frame.end().getAsInt(), addedTokens), i);
                }
            }
        }
        IntStream.concat(
                        frame.addsBeginning() ? frame.beginning().stream() : IntStream.empty(),
                        frame.addsEnd() ? frame.end().stream() : IntStream.empty())
                .distinct()
                .forEach(id -> {
                    String name = name(id, addedTokens);
                    ObjectNode token = special.putObject(name).put("id", name);
                    token.putArray("ids").add(id);
                    token.putArray("tokens").add(name);
                });
        root.set("post_processor", processor);
    }

    private static void part(ArrayNode template, String kind, String id, int type) {
        template.addObject().putObject(kind).put("id", id).put("type_id", type);
    }

    static String name(int id, List<AddedToken> addedTokens) {
        return addedTokens.stream()
                .filter(token -> token.id() == id)
                .map(AddedToken::content)
                .findFirst()
                .orElseThrow(
                        () -> new IllegalArgumentException("token " + id + " stands at an end of each text but is no"
                                + " special token, which tokenizer.json cannot say. Make it one."));
    }

    private static ObjectNode preTokenizer(Pretokenizer pretokenizer) {
        List<String> splits = pretokenizer.splits();
        if (splits.equals(Pretokenizer.gpt2().splits())) {
            return byteLevel(true);
        }
        ObjectNode sequence = typed("Sequence");
        ArrayNode steps = sequence.putArray("pretokenizers");
        if (splits.equals(Pretokenizer.smolLm2().splits())) {
            steps.add(typed("Digits").put("individual_digits", true));
            steps.add(byteLevel(true));
        } else {
            splits.forEach(split -> steps.add(split(split)));
            steps.add(byteLevel(false));
        }
        return sequence;
    }

    private static ObjectNode split(String regex) {
        ObjectNode split = typed("Split");
        split.putObject("pattern").put("Regex", regex);
        return split.put("behavior", "Isolated").put("invert", false);
    }

    private static ObjectNode byteLevel(boolean useGpt2Split) {
        return typed("ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", useGpt2Split);
    }

    private static ObjectNode bytePairModel(List<Merge> pairs) {
        ObjectNode model = typed("BPE");
        model.putNull("dropout");
        model.putNull("unk_token");
        model.putNull("continuing_subword_prefix");
        model.putNull("end_of_word_suffix");
        model.put("fuse_unk", false);
        ArrayNode merges = model.putArray("merges");
        pairs.forEach(merge -> merges.add(merge.toString()));
        return model;
    }

    private static ObjectNode characterModel(CharacterTokenizer tokenizer) {
        ObjectNode model = typed("WordLevel");
        ObjectNode vocabulary = model.putObject("vocab");
        tokenizer.tokens().forEach(character -> vocabulary.put(character, vocabulary.size()));
        return model.put("unk_token", tokenizer.hasUnknown() ? CharacterTokenizer.UNKNOWN : NO_UNKNOWN);
    }
}
