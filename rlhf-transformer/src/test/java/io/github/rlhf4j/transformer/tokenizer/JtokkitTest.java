package io.github.rlhf4j.transformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.test.SharedData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** jtokkit gives the ids we give for OpenAI's vocabularies, which its jar carries as files of tiktoken's. */
class JtokkitTest {

    @TempDir
    private Path dir;

    @ParameterizedTest
    @ValueSource(strings = {"r50k_base", "cl100k_base", "o200k_base"})
    void idsAreJtokkitsInEveryScript(String name) throws IOException {
        assertSame(name, Texts.unicode(3000, Set.of()));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "data/tinyshakespeare/input.txt",
                "data/llamafactory-demo/c4_demo.jsonl",
                "data/bpe-training-oracle/german.txt"
            })
    void idsAreJtokkitsOnRealText(String file) throws IOException {
        List<String> text = List.of(Files.readString(SharedData.file(file)));
        assertSame("cl100k_base", text);
        assertSame("o200k_base", text);
    }

    @Test
    void gpt2sRanksLeadToItsOwnMerges() throws IOException {
        BytePairTokenizer published = BytePairTokenizer.load(
                SharedData.file("data/gpt2-bpe/encoder.json"),
                SharedData.file("data/gpt2-bpe/vocab.bpe"),
                "<|endoftext|>");

        BytePairTokenizer ranks = PublishedRanks.load("r50k_base", dir);

        assertThat(ranks.vocabulary()).isEqualTo(published.vocabulary());
        assertThat(ranks.merges()).isEqualTo(published.merges());
    }

    @Test
    void aBrokenFileOfRanksIsNamedByLine() throws IOException {
        assertRefused("IQ== 0\nIg==", "ranks, line 2: \"Ig==\" is not a token in Base64, a space and its rank");
        assertRefused("IQ== 0\n! 1", "ranks, line 2: \"! 1\" is not a token");
        assertRefused("IQ== zero", "ranks, line 1: \"IQ== zero\" is not a token");
        assertRefused("IQ== 0\nIQ== 1", "ranks, line 2: the token has a rank already, 0");
        assertRefused(" 0", "ranks, line 1: a token of 0 bytes");
        assertRefused("IQ== 0", "ranks: the vocabulary has no token for byte 0x00");
        assertThatThrownBy(() -> BytePairTokenizer.loadTiktoken(dir.resolve("none"), Pretokenizer.gpt2(), Map.of()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("there is no such file");
    }

    private void assertRefused(String content, String message) throws IOException {
        Path file = dir.resolve("ranks");
        Files.writeString(file, content);
        assertThatThrownBy(() -> BytePairTokenizer.loadTiktoken(file, Pretokenizer.gpt2(), Map.of()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(message);
    }

    private void assertSame(String name, List<String> texts) throws IOException {
        BytePairTokenizer ours = PublishedRanks.load(name, dir);
        Encoding theirs = Encodings.newLazyEncodingRegistry().getEncoding(name).orElseThrow();
        for (String text : texts) {
            TokenSequence ids = TokenSequence.of(theirs.encodeOrdinary(text).toArray());
            assertThat(ours.encode(text))
                    .as("%s: %s", name, text.substring(0, Math.min(100, text.length())))
                    .isEqualTo(ids);
        }
    }
}
