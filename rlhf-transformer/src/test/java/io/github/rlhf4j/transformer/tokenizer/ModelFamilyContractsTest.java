package io.github.rlhf4j.transformer.tokenizer;

import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.testkit.TokenizerContract;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Nested;

/** What every tokenizer promises, for each family. */
class ModelFamilyContractsTest {

    private abstract static class OfFile extends TokenizerContract {

        abstract String family();

        @Override
        protected Tokenizer tokenizer() {
            try {
                return TokenizerFiles.load(Path.of("src/test/resources/tokenizers", family() + ".json"));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Nested
    class Llama3 extends OfFile {
        @Override
        String family() {
            return "llama3";
        }
    }

    @Nested
    class SmolLm2 extends OfFile {
        @Override
        String family() {
            return "smollm2";
        }
    }

    @Nested
    class Llama2 extends OfFile {
        @Override
        String family() {
            return "llama2";
        }
    }

    /** Composes characters, so that only composed texts come back. */
    @Nested
    class Qwen2 extends OfFile {
        @Override
        String family() {
            return "qwen2";
        }

        @Override
        protected List<String> texts() {
            return List.of("", " ", "The cat, didn't it?", "Grüße, 你好 😀 1984");
        }
    }

    /** Loses a space that a text begins with. */
    @Nested
    class Mistral extends OfFile {
        @Override
        String family() {
            return "mistral";
        }

        @Override
        protected List<String> texts() {
            return List.of("", "a", "The cat, didn't it?", "Grüße, 你好 😀 1984  x");
        }
    }
}
