package io.github.rlhf4j.transformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.core.test.SharedData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@code ai.djl.huggingface:tokenizers} gives the ids we give: for files of its own making, for the same files as we write them
 * again, and for vocabularies of the size of real models.
 *
 * <p>Compared are well-formed texts that name no special token, which Hugging Face's encoder looks for in what a user wrote.
 */
class DjlTokenizerTest {

    private static final int MIXTURES = 1000;

    /** Combining marks that came after Unicode 9, which is what their NFC knows. */
    private static final Pattern YOUNG_MARK = Pattern.compile(
            "[\\x{7FD}\\x{890}-\\x{8DF}\\x{9FE}\\x{C3C}\\x{D3B}\\x{D3C}"
                    + "\\x{EBA}\\x{1715}\\x{1ABF}-\\x{1ACE}\\x{1DF6}-\\x{1DFA}\\x{A82C}[\\x{10D24}-\\x{1E2EF}&&\\p{M}]]");

    @TempDir
    private Path dir;

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "llama3", "qwen2", "smollm2", "llama2", "mistral"})
    void aForeignFileAndOursOfItAreEncodedAlike(String family) throws IOException {
        Path foreign = Path.of("src/test/resources/tokenizers", family + ".json");
        FramedTokenizer ours = (FramedTokenizer) TokenizerFiles.load(foreign);
        List<String> texts = Texts.unicode(MIXTURES, ours.specialTokens().keySet()).stream()
                .filter(text ->
                        !family.equals("qwen2") || !YOUNG_MARK.matcher(text).find())
                .toList();

        assertSame(ours, foreign, texts);
        assertSame(ours, written(ours), texts);
    }

    @Test
    void aTokenizerTrainedHereIsEncodedAlike() throws IOException {
        BytePairTokenizer ours = Texts.TOKENIZER;

        assertSame(
                ours,
                written(ours),
                Texts.unicode(MIXTURES, ours.specialTokens().keySet()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"r50k_base", "cl100k_base", "o200k_base"})
    void vocabulariesOfRealSizeAreEncodedAlike(String name) throws IOException {
        BytePairTokenizer ours = PublishedRanks.load(name, dir);
        List<String> texts = Texts.unicode(MIXTURES, ours.specialTokens().keySet());

        assertSame(ours, written(ours), texts);
    }

    @ParameterizedTest
    @ValueSource(strings = {"data/tinyshakespeare/input.txt", "data/llamafactory-demo/c4_demo.jsonl"})
    void realTextIsEncodedAlike(String file) throws IOException {
        List<String> text = List.of(Files.readString(SharedData.file(file)));
        for (String name : List.of("r50k_base", "cl100k_base", "o200k_base")) {
            BytePairTokenizer ours = PublishedRanks.load(name, dir);
            assertSame(ours, written(ours), text);
        }
    }

    private Path written(FramedTokenizer tokenizer) throws IOException {
        TokenizerFiles.save(tokenizer, dir);
        return dir.resolve(TokenizerFiles.FILE_NAME);
    }

    private static void assertSame(FramedTokenizer ours, Path file, List<String> texts) throws IOException {
        try (DjlTokenizer theirs = DjlTokenizer.open(file)) {
            for (String text : texts) {
                String what = text.substring(0, Math.min(100, text.length()));
                assertThat(ours.encode(text)).as(what).isEqualTo(theirs.encode(text));
                assertThat(ours.encodeFramed(text)).as(what).isEqualTo(theirs.encodeFramed(text));
            }
        }
    }
}
