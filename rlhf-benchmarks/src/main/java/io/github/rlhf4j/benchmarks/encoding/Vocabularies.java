package io.github.rlhf4j.benchmarks.encoding;

import com.knuddels.jtokkit.Encodings;
import io.github.rlhf4j.transformer.tokenizer.BytePairTokenizer;
import io.github.rlhf4j.transformer.tokenizer.Pretokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Vocabularies of OpenAI's that jtokkit's jar carries, so that all sides have the same. */
enum Vocabularies {
    /** GPT-2's. */
    R50K_BASE(Pretokenizer.gpt2(), Map.of("<|endoftext|>", 50256)),

    /** GPT-4's; its split is LLaMA 3's. */
    CL100K_BASE(Pretokenizer.llama3(), Map.of()),

    /** GPT-4o's; we have no loop for its split, which runs as a regular expression. */
    O200K_BASE(Pretokenizer.of(List.of(o200kSplit())), Map.of());

    private final Pretokenizer pretokenizer;
    private final Map<String, Integer> specialTokens;

    Vocabularies(Pretokenizer pretokenizer, Map<String, Integer> specialTokens) {
        this.pretokenizer = pretokenizer;
        this.specialTokens = specialTokens;
    }

    /** As jtokkit names it. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    BytePairTokenizer load(Path scratch) throws IOException {
        Path ranks = scratch.resolve(label() + ".tiktoken");
        try (InputStream in = Encodings.class.getResourceAsStream(label() + ".tiktoken")) {
            if (in == null) {
                throw new IOException("jtokkit's jar has no " + label() + ".tiktoken");
            }
            Files.write(ranks, in.readAllBytes());
        }
        return BytePairTokenizer.loadTiktoken(ranks, pretokenizer, specialTokens);
    }

    private static String o200kSplit() {
        String capitals = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
        String others = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
        String contraction = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?";
        String before = "[^\\r\\n\\p{L}\\p{N}]?";
        return String.join(
                "|",
                before + capitals + "*" + others + "+" + contraction,
                before + capitals + "+" + others + "*" + contraction,
                "\\p{N}{1,3}",
                " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*",
                "\\s*[\\r\\n]+",
                "\\s+(?!\\S)",
                "\\s+");
    }
}
