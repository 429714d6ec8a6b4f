package io.github.rlhf4j.transformer.tokenizer;

import static org.junit.jupiter.api.Assumptions.abort;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.github.rlhf4j.core.TokenSequence;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/**
 * Hugging Face's own tokenizers, called through DJL. The native library lies in DJL's jar; nothing is downloaded. Where it does
 * not load, the calling test is skipped.
 */
final class DjlTokenizer implements AutoCloseable {

    private final HuggingFaceTokenizer tokenizer;

    private DjlTokenizer(HuggingFaceTokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    static DjlTokenizer open(Path file) throws IOException {
        prepare();
        try {
            return new DjlTokenizer(
                    HuggingFaceTokenizer.newInstance(file, Map.of("truncation", "false", "padding", "false")));
        } catch (LinkageError | IllegalStateException e) {
            return abort("skipped: DJL's native library does not load on this machine: " + e);
        }
    }

    private static void prepare() throws IOException {
        if (System.getProperty("DJL_CACHE_DIR") == null) {
            System.setProperty("DJL_CACHE_DIR", Files.createTempDirectory("djl").toString());
        }
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
        System.setProperty("RUST_FLAVOR", "cpu");
    }

    TokenSequence encode(String text) {
        return ids(text, false);
    }

    TokenSequence encodeFramed(String text) {
        return ids(text, true);
    }

    private TokenSequence ids(String text, boolean framed) {
        return TokenSequence.of(
                Arrays.stream(tokenizer.encode(text, framed, false).getIds())
                        .mapToInt(Math::toIntExact)
                        .toArray());
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
