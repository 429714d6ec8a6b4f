package io.github.rlhf4j.transformer.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.rlhf4j.core.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The roles of special tokens in {@code tokenizer_config.json}. */
final class TokenizerConfig {

    private static final Logger LOG = LoggerFactory.getLogger(TokenizerConfig.class);

    private TokenizerConfig() {}

    /** The tokenizer with the tokens at the ends of a text that the file names, if there is a file. */
    static Tokenizer framed(Tokenizer tokenizer, Path file) throws IOException {
        if (!(tokenizer instanceof FramedTokenizer framed) || !Files.exists(file)) {
            return tokenizer;
        }
        JsonNode config = TokenizerJson.readObject(file);
        TextFrame old = framed.frame();
        TextFrame frame = new TextFrame(
                old.addsBeginning() ? old.beginning() : id(config, "bos_token", tokenizer, file),
                old.addsEnd() ? old.end() : id(config, "eos_token", tokenizer, file),
                old.addsBeginning(),
                old.addsEnd());
        return framed instanceof BytePairTokenizer bytePair
                ? bytePair.withFrame(frame)
                : ((SentencePieceTokenizer) framed).withFrame(frame);
    }

    private static OptionalInt id(JsonNode config, String field, Tokenizer tokenizer, Path file) {
        JsonNode node = config.path(field);
        String name = node.isTextual() ? node.textValue() : node.path("content").asText("");
        Integer id = tokenizer.specialTokens().get(name);
        if (id == null && !name.isEmpty()) {
            LOG.warn("{}: {} {} is no special token of the tokenizer and is not used", file, field, name);
        }
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    static ObjectNode toJson(Tokenizer tokenizer, Path file, OptionalInt padding) throws IOException {
        ObjectNode config = Files.exists(file)
                ? (ObjectNode) TokenizerJson.readObject(file)
                : TokenizerJson.MAPPER.createObjectNode();
        config.put("tokenizer_class", "PreTrainedTokenizerFast"); // any other would change what tokenizer.json says
        config.put("clean_up_tokenization_spaces", false);
        TextFrame frame = tokenizer instanceof FramedTokenizer framed ? framed.frame() : TextFrame.NONE;
        put(config, "bos_token", frame.beginning(), tokenizer);
        put(config, "eos_token", frame.end(), tokenizer);
        put(config, "pad_token", padding, tokenizer);
        // without it transformers adds token_type_ids, which generate() of these models refuses
        config.putArray("model_input_names").add("input_ids").add("attention_mask");
        return config;
    }

    private static void put(ObjectNode config, String field, OptionalInt id, Tokenizer tokenizer) {
        config.remove(field); // of a tokenizer that was here before
        tokenizer.specialTokens().entrySet().stream()
                .filter(entry -> id.isPresent() && entry.getValue() == id.getAsInt())
                .findFirst()
                .ifPresent(entry -> config.put(field, entry.getKey()));
    }
}
