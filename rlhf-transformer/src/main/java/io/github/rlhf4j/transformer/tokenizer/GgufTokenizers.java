package io.github.rlhf4j.transformer.tokenizer;

import io.github.rlhf4j.core.Tokenizer;
import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Tokenizers from the {@code tokenizer.ggml.*} metadata of a GGUF file, and back. Values are plain Java: strings, numbers,
 * booleans, and lists or arrays of them.
 */
public final class GgufTokenizers {

    private static final String PREFIX = "tokenizer.ggml.";

    /** llama.cpp's split of byte-level models that name none. */
    private static final Pretokenizer DEFAULT =
            Pretokenizer.of(List.of("[\\p{P}\\$\\+<=>\\^~\\|]+", Split.GPT2, "\\p{N}+", "[0-9][0-9][0-9]"));

    private GgufTokenizers() {}

    /**
     * The tokenizer that the metadata describes: model {@code llama} (SentencePiece) or {@code gpt2} (byte-level) with a
     * split named {@code default}, {@code gpt-2}, {@code llama-bpe}, {@code smollm} or {@code qwen2}.
     *
     * @throws IllegalArgumentException naming the key, the rule and the value
     */
    public static FramedTokenizer of(Map<String, ?> metadata) {
        List<String> tokens = list(metadata, "tokens", String.class);
        List<TokenType> types = types(metadata, tokens.size());
        String model = text(metadata, "model", "");
        try {
            return switch (model) {
                case "llama" -> sentencePiece(metadata, tokens, types);
                case "gpt2" -> bytePair(metadata, tokens, types);
                default -> throw refuse("model", "is \"" + model + "\", but only llama and gpt2 are supported");
            };
        } catch (IllegalArgumentException e) {
            throw e.getMessage().startsWith(PREFIX) ? e : refuse("tokens", "make no tokenizer: " + e.getMessage());
        }
    }

    private static SentencePieceTokenizer sentencePiece(
            Map<String, ?> metadata, List<String> tokens, List<TokenType> types) {
        List<Number> list = list(metadata, "scores", Number.class);
        float[] scores = new float[list.size()];
        for (int id = 0; id < scores.length; id++) {
            scores[id] = list.get(id).floatValue();
        }
        LeadingSpace leading = flag(metadata, "add_space_prefix", true) ? LeadingSpace.ALWAYS : LeadingSpace.NEVER;
        return SentencePieceTokenizer.of(tokens, scores, types, leading, frame(metadata, true, tokens.size()));
    }

    private static BytePairTokenizer bytePair(Map<String, ?> metadata, List<String> tokens, List<TokenType> types) {
        String pre = text(metadata, "pre", "default");
        Map<String, Integer> vocabulary = new HashMap<>();
        List<AddedToken> added = new ArrayList<>();
        for (int id = 0; id < tokens.size(); id++) {
            String token = tokens.get(id);
            if (types.get(id).isSpecial()) {
                added.add(AddedToken.special(token, id));
            } else if (types.get(id) == TokenType.USER_DEFINED) {
                added.add(AddedToken.ordinary(token, id));
            } else if (vocabulary.put(token, id) != null) {
                throw refuse("tokens[" + id + "]", "is spelled \"" + token + "\" like an earlier one");
            }
        }
        List<Merge> merges = new ArrayList<>();
        for (String line : list(metadata, "merges", String.class)) {
            try {
                merges.add(Merge.parse(line));
            } catch (IllegalArgumentException e) {
                throw refuse("merges[" + merges.size() + "]", "is malformed: " + e.getMessage());
            }
        }
        BytePairOptions options = BytePairOptions.of(split(pre))
                .withComposes(pre.equals("qwen2"))
                .withWholePiecesFirst(pre.equals("llama-bpe"))
                .withAddedTokens(added)
                .withFrame(frame(metadata, pre.equals("llama-bpe"), tokens.size()));
        return BytePairTokenizer.ofFile(vocabulary, merges, options);
    }

    private static Pretokenizer split(String pre) {
        return switch (pre) {
            case "default" -> DEFAULT;
            case "gpt-2" -> Pretokenizer.gpt2();
            case "llama-bpe" -> Pretokenizer.llama3();
            case "smollm" -> Pretokenizer.smolLm2();
            case "qwen2" -> Pretokenizer.qwen2();
            default ->
                throw refuse(
                        "pre", "is \"" + pre + "\", but only default, gpt-2, llama-bpe, smollm and qwen2 are known");
        };
    }

    /**
     * The metadata that describes the tokenizer: {@code String}, {@code Boolean}, {@code Integer} (unsigned in GGUF), and
     * lists of {@code String}, {@code Float} (scores) and {@code Integer} (types).
     *
     * @throws IllegalArgumentException when GGUF has no form for the tokenizer
     */
    public static Map<String, Object> metadata(Tokenizer tokenizer) {
        Map<String, Object> metadata = new LinkedHashMap<>();
        if (tokenizer instanceof BytePairTokenizer bytePair) {
            describe(bytePair, metadata);
        } else if (tokenizer instanceof SentencePieceTokenizer pieces) {
            describe(pieces, metadata);
        } else {
            throw new IllegalArgumentException("GGUF has no form for a "
                    + tokenizer.getClass().getName() + "; only for BytePairTokenizer and SentencePieceTokenizer.");
        }
        TextFrame frame = ((FramedTokenizer) tokenizer).frame();
        frame.beginning().ifPresent(id -> metadata.put(PREFIX + "bos_token_id", id));
        frame.end().ifPresent(id -> metadata.put(PREFIX + "eos_token_id", id));
        metadata.put(PREFIX + "add_bos_token", frame.addsBeginning());
        metadata.put(PREFIX + "add_eos_token", frame.addsEnd());
        return metadata;
    }

    private static void describe(BytePairTokenizer tokenizer, Map<String, Object> metadata) {
        List<Integer> types = new ArrayList<>();
        tokenizer.vocabulary().forEach((token, id) -> {
            TokenType type = tokenizer.isAdded(id) ? TokenType.USER_DEFINED : TokenType.NORMAL;
            types.add((tokenizer.specialTokens().containsKey(token) ? TokenType.CONTROL : type).code());
        });
        metadata.put(PREFIX + "model", "gpt2");
        metadata.put(PREFIX + "pre", name(tokenizer.pretokenizer()));
        metadata.put(PREFIX + "tokens", List.copyOf(tokenizer.vocabulary().keySet()));
        metadata.put(PREFIX + "token_type", types);
        metadata.put(
                PREFIX + "merges",
                tokenizer.merges().stream().map(Merge::toString).toList());
    }

    private static String name(Pretokenizer pretokenizer) {
        for (String pre : List.of("gpt-2", "llama-bpe", "smollm", "qwen2", "default")) {
            if (split(pre).equals(pretokenizer)) {
                return pre;
            }
        }
        throw new IllegalArgumentException("GGUF has no name for the split " + pretokenizer
                + ". Use the split of GPT-2, LLaMA 3, SmolLM2 or Qwen2.");
    }

    private static void describe(SentencePieceTokenizer tokenizer, Map<String, Object> metadata) {
        List<Float> scores = new ArrayList<>();
        for (float score : tokenizer.scores()) {
            scores.add(score);
        }
        metadata.put(PREFIX + "model", "llama");
        metadata.put(PREFIX + "pre", "default");
        metadata.put(PREFIX + "tokens", tokenizer.tokens());
        metadata.put(PREFIX + "scores", scores);
        metadata.put(
                PREFIX + "token_type",
                tokenizer.types().stream().map(TokenType::code).toList());
        metadata.put(PREFIX + "add_space_prefix", tokenizer.leadingSpace() != LeadingSpace.NEVER);
    }

    private static List<TokenType> types(Map<String, ?> metadata, int size) {
        List<Number> codes = list(metadata, "token_type", Number.class);
        if (codes.size() != size) {
            throw refuse("token_type", "has " + codes.size() + " entries for " + size + " tokens");
        }
        try {
            return codes.stream().map(code -> TokenType.of(code.intValue())).toList();
        } catch (IllegalArgumentException e) {
            throw refuse("token_type", "is malformed: " + e.getMessage());
        }
    }

    private static TextFrame frame(Map<String, ?> metadata, boolean addsBeginning, int size) {
        OptionalInt beginning = id(metadata, "bos_token_id", size);
        OptionalInt end = id(metadata, "eos_token_id", size);
        boolean adds = flag(metadata, "add_bos_token", addsBeginning && beginning.isPresent());
        boolean addsEnd = flag(metadata, "add_eos_token", false);
        if (adds && beginning.isEmpty() || addsEnd && end.isEmpty()) {
            throw refuse(
                    adds && beginning.isEmpty() ? "bos_token_id" : "eos_token_id", "is missing, but is to be added");
        }
        return new TextFrame(beginning, end, adds, addsEnd);
    }

    private static OptionalInt id(Map<String, ?> metadata, String key, int size) {
        Object value = metadata.get(PREFIX + key);
        if (value == null) {
            return OptionalInt.empty();
        }
        if (!(value instanceof Number number) || number.longValue() < 0 || number.longValue() >= size) {
            throw refuse(key, "is " + value + ", but must be one of " + size + " ids");
        }
        return OptionalInt.of(number.intValue());
    }

    private static boolean flag(Map<String, ?> metadata, String key, boolean otherwise) {
        Object value = metadata.get(PREFIX + key);
        if (value != null && !(value instanceof Boolean)) {
            throw refuse(key, "is " + value + ", but must be true or false");
        }
        return value == null ? otherwise : (Boolean) value;
    }

    private static String text(Map<String, ?> metadata, String key, String otherwise) {
        Object value = metadata.get(PREFIX + key);
        if (value != null && !(value instanceof String)) {
            throw refuse(key, "is " + value + ", but must be a string");
        }
        return value == null ? otherwise : (String) value;
    }

    private static <T> List<T> list(Map<String, ?> metadata, String key, Class<T> type) {
        Object value = metadata.get(PREFIX + key);
        List<@Nullable Object> elements = new ArrayList<>();
        if (value instanceof List<?> given) {
            elements.addAll(given);
        } else if (value != null && value.getClass().isArray()) {
            for (int i = 0; i < Array.getLength(value); i++) {
                elements.add(Array.get(value, i));
            }
        } else {
            throw refuse(key, value == null ? "is missing" : "is no list");
        }
        List<T> list = new ArrayList<>(elements.size());
        for (Object element : elements) {
            if (!type.isInstance(element)) {
                throw refuse(key + "[" + list.size() + "]", "is " + element + ", no " + type.getSimpleName());
            }
            list.add(type.cast(Objects.requireNonNull(element)));
        }
        return list;
    }

    private static IllegalArgumentException refuse(String key, String problem) {
        return new IllegalArgumentException(
                PREFIX + key + " " + problem + ". Convert the model to GGUF again, or load its tokenizer.json.");
    }
}
