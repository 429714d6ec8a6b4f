package io.github.rlhf4j.transformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.test.SharedData;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Trains at the size of the main job (about 9 MB, 4,096 tokens) and logs how long it took; time is no pass mark here. */
@Tag("slow")
class TokenizerSpeedTest {

    private static final Logger LOG = LoggerFactory.getLogger(TokenizerSpeedTest.class);

    @Test
    void nineMegabytesReachFourThousandTokens() throws IOException {
        List<String> corpus = corpus();
        long bytes = corpus.stream()
                .mapToLong(t -> t.getBytes(StandardCharsets.UTF_8).length)
                .sum();

        long start = System.nanoTime();
        TokenizerTraining training =
                new BytePairTrainer(4096).withSpecialTokens("<|endoftext|>").train(corpus);
        long trained = System.nanoTime();
        long tokens = 0;
        for (String text : corpus) {
            TokenSequence encoded = training.tokenizer().encode(text);
            tokens += encoded.length();
            assertThat(training.tokenizer().decode(encoded)).isEqualTo(text);
        }
        long coded = System.nanoTime();

        LOG.info(
                "trained on {} bytes ({} distinct pieces) in {} s",
                bytes,
                training.distinctPieces(),
                (trained - start) / 1e9);
        LOG.info("encoded and decoded {} tokens in {} s", tokens, (coded - trained) / 1e9);
        assertThat(training.reachedRequestedSize()).isTrue();
        assertThat(tokens).isLessThan(bytes / 3);
    }

    private static List<String> corpus() throws IOException {
        List<String> texts = new ArrayList<>();
        for (String file : List.of(
                "data/tinyshakespeare/input.txt",
                "data/llamafactory-demo/c4_demo.jsonl",
                "data/llamafactory-demo/dpo_en_demo.json",
                "data/llamafactory-demo/alpaca_en_demo.json",
                "data/bpe-training-oracle/corpus.en")) {
            texts.addAll(Files.readAllLines(SharedData.file(file)));
        }
        try (var files = Files.list(SharedData.file("data/hh-rlhf-harmless"))) {
            files.filter(file -> file.toString().endsWith(".gz")).forEach(file -> texts.addAll(unpacked(file)));
        }
        return texts;
    }

    private static List<String> unpacked(Path file) {
        try (GZIPInputStream in = new GZIPInputStream(Files.newInputStream(file))) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            in.transferTo(out);
            return out.toString(StandardCharsets.UTF_8).lines().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
