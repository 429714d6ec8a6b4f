package io.github.rlhf4j.transformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Gpt2FilesTest {

    @TempDir
    private Path dir;

    private Path vocabulary;
    private Path merges;

    @BeforeEach
    void writeFiles() throws IOException {
        vocabulary = dir.resolve("vocab.json");
        merges = dir.resolve("merges.txt");
        new ObjectMapper().writeValue(vocabulary.toFile(), Texts.TOKENIZER.vocabulary());
        List<String> lines =
                Texts.TOKENIZER.merges().stream().map(Merge::toString).toList();
        Files.writeString(merges, "#version: 0.2\n" + String.join("\n", lines) + "\n");
    }

    @Test
    void bothFilesMakeTheTokenizerTheyWereWrittenFrom() throws IOException {
        assertThat(BytePairTokenizer.load(vocabulary, merges, "<|endoftext|>", "<|end|>"))
                .isEqualTo(Texts.TOKENIZER);
    }

    @Test
    void aSpecialTokenThatIsNotThereIsNamed() {
        assertThatThrownBy(() -> BytePairTokenizer.load(vocabulary, merges, "<|user|>"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("vocab.json: the special token <|user|> is not in the vocabulary")
                .hasMessageContaining("Name one that is, or none");
    }

    @Test
    void brokenMergesAreNamedByLine() throws IOException {
        assertMergesRefused("#version: 0.2\nt h\nth\n", "merges.txt, line 3: \"th\" is no merge", "one space between");
        assertMergesRefused("t h\nt 你\n", "merge 1 (\"t 你\") needs token \"你\"", "same training");
        assertMergesRefused("t h\nt h\n", "merge 1 is the same as merge 0", "Remove the second");
        Files.write(merges, new byte[] {(byte) 0xC4, 0x20, 0x74});
        assertThatThrownBy(() -> BytePairTokenizer.load(vocabulary, merges))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("merges.txt is not UTF-8 text. Save it as UTF-8.");
    }

    @Test
    void brokenVocabulariesAreNamed() throws IOException {
        assertVocabularyRefused("{\"a\": 0,", "vocab.json: malformed JSON at line 1");
        assertVocabularyRefused("{\"a\": 0, \"a\": 1}", "Duplicate");
        assertVocabularyRefused("{\"a\": \"x\"}", "the vocabulary[\"a\"] must be an id");
        assertVocabularyRefused("{\"a\": 0}", "no token for byte 0x00");
        assertVocabularyRefused("{\"a\": 7}", "token \"a\" has id 7");
        Files.delete(vocabulary);
        assertThatThrownBy(() -> BytePairTokenizer.load(vocabulary, merges))
                .isInstanceOf(NoSuchFileException.class)
                .hasMessageContaining("vocab.json: there is no such file");
        writeFiles();
        Files.delete(merges);
        assertThatThrownBy(() -> BytePairTokenizer.load(vocabulary, merges))
                .isInstanceOf(NoSuchFileException.class)
                .hasMessageContaining("merges.txt: there is no such file");
    }

    private void assertMergesRefused(String content, String problem, String remedy) throws IOException {
        Files.writeString(merges, content);
        assertThatThrownBy(() -> BytePairTokenizer.load(vocabulary, merges))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(problem)
                .hasMessageContaining(remedy);
    }

    private void assertVocabularyRefused(String content, String problem) throws IOException {
        Files.writeString(vocabulary, content);
        assertThatThrownBy(() -> BytePairTokenizer.load(vocabulary, merges))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("vocab.json")
                .hasMessageContaining(problem);
    }
}
