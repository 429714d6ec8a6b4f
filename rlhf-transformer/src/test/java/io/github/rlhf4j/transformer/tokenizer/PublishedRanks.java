package io.github.rlhf4j.transformer.tokenizer;

import com.knuddels.jtokkit.Encodings;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Vocabularies of OpenAI's that jtokkit's jar carries, as tokenizers of ours. */
final class PublishedRanks {

    /** How GPT-4o cuts text, as tiktoken spells it. */
    private static final Pretokenizer O200K = Pretokenizer.of(List.of(String.join(
            "|",
            "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            "\\p{N}{1,3}",
            " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*",
            "\\s*[\\r\\n]+",
            "\\s+(?!\\S)",
            "\\s+")));

    private PublishedRanks() {}

    /** {@code r50k_base} is GPT-2's, {@code cl100k_base} GPT-4's, whose split is LLaMA 3's, {@code o200k_base} GPT-4o's. */
    static BytePairTokenizer load(String name, Path scratch) throws IOException {
        Path file = ranks(name, scratch);
        return switch (name) {
            case "r50k_base" ->
                BytePairTokenizer.loadTiktoken(file, Pretokenizer.gpt2(), Map.of("<|endoftext|>", 50256));
            case "cl100k_base" -> BytePairTokenizer.loadTiktoken(file, Pretokenizer.llama3(), Map.of());
            default -> BytePairTokenizer.loadTiktoken(file, O200K, Map.of());
        };
    }

    private static Path ranks(String name, Path scratch) throws IOException {
        Path file = scratch.resolve(name + ".tiktoken");
        try (InputStream in = Objects.requireNonNull(Encodings.class.getResourceAsStream(name + ".tiktoken"), name)) {
            Files.write(file, in.readAllBytes());
        }
        return file;
    }
}
