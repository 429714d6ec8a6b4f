package io.github.rlhf4j.transformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rlhf4j.core.test.SharedData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class BytePairTrainerTest {

    /** The reference trainer of Stanford's CS336, 500 tokens with one special: every merge in order, every token. */
    @Test
    void learnsTheMergesOfTheReferenceTrainer() throws IOException {
        Path corpus = SharedData.file("data/bpe-training-oracle/corpus.en");
        List<String> expected =
                Files.readAllLines(SharedData.file("data/bpe-training-oracle/train-bpe-reference-merges.txt"));
        Set<String> expectedTokens = new TreeSet<>();
        new ObjectMapper()
                .readTree(SharedData.file("data/bpe-training-oracle/train-bpe-reference-vocab.json")
                        .toFile())
                .fieldNames()
                .forEachRemaining(expectedTokens::add);

        BytePairTokenizer tokenizer = new BytePairTrainer(500)
                .withSpecialTokens("<|endoftext|>")
                .train(List.of(Files.readString(corpus)))
                .tokenizer();

        assertThat(tokenizer.merges().stream().map(Merge::toString)).containsExactlyElementsOf(expected);
        assertThat(new TreeSet<>(tokenizer.vocabulary().keySet())).isEqualTo(expectedTokens);
        assertThat(tokenizer.vocabularySize()).isEqualTo(500);
    }

    @Test
    void ofEquallyFrequentPairsTheGreaterBytesMergeFirst() {
        List<Merge> merges = new BytePairTrainer(257)
                .train(List.of("ab", "cd", "cé", "ca"))
                .tokenizer()
                .merges();

        // c, C3 A9 (é) and c, d and c, a and a, b once each; C3 > c as bytes
        assertThat(merges).containsExactly(new Merge("Ã", "©"));
    }

    @Test
    void pairsNeverReachAcrossDocumentsNorWords() {
        TokenizerTraining training = new BytePairTrainer(1000).train(List.of("xy xy", "yx"));

        assertThat(training.tokenizer().merges().stream().map(Merge::merged))
                .containsExactlyInAnyOrder("xy", "Ġxy", "yx");
    }

    @Test
    void idsAreBytesThenMergesThenSpecialTokens() {
        BytePairTokenizer tokenizer = new BytePairTrainer(260)
                .withSpecialTokens("<|b|>", "<|a|>")
                .train(Stream.of("hello hello hello"))
                .tokenizer();

        assertThat(tokenizer.vocabulary().keySet()).startsWith("!", "\"", "#");
        assertThat(tokenizer.specialTokens()).containsEntry("<|b|>", 258).containsEntry("<|a|>", 259);
        assertThat(tokenizer.encode("!").get(0)).isZero();
        assertThat(tokenizer.bytesOf(255)).containsExactly(0xAD);
    }

    @Test
    void theOrderOfDocumentsDoesNotMatter() {
        List<String> texts = Texts.all().toList();
        BytePairTrainer trainer = new BytePairTrainer(400);

        assertThat(trainer.train(texts).tokenizer())
                .isEqualTo(trainer.train(texts.stream().sorted()).tokenizer())
                .hasSameHashCodeAs(trainer.train(texts).tokenizer());
    }

    @Test
    void aCorpusTooSmallYieldsFewerTokensAndSaysSo() {
        TokenizerTraining training =
                new BytePairTrainer(4096).withSpecialTokens("<|endoftext|>").train(List.of("one line"));

        assertThat(training.reachedRequestedSize()).isFalse();
        assertThat(training.requestedVocabularySize()).isEqualTo(4096);
        assertThat(training.tokenizer().vocabularySize()).isEqualTo(256 + 5 + 1); // ne, one, and three for " line"
        assertThat(training.documents()).isEqualTo(1);
        assertThat(training.characters()).isEqualTo(8);
        assertThat(training.distinctPieces()).isEqualTo(2);
        assertThat(training.tokenizer().encode("one line").length()).isEqualTo(2);
    }

    @Test
    void anEmptyCorpusIsRefused() {
        assertThatThrownBy(() -> new BytePairTrainer(300).train(List.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("0 documents and no text")
                .hasMessageContaining("at least one document that is not empty");
        assertThatThrownBy(() -> new BytePairTrainer(300).train(List.of("", "")))
                .hasMessageContaining("2 documents and no text");
    }

    @Test
    void impossibleSettingsAreRefused() {
        assertThatThrownBy(() -> new BytePairTrainer(256).withSpecialTokens("<|endoftext|>"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("vocabulary size 256 is too small")
                .hasMessageContaining("Ask for 257 or more");
        assertThatThrownBy(() -> new BytePairTrainer(300).withSpecialTokens("<|a|>", "<|a|>"))
                .hasMessageContaining("<|a|> is listed twice");
        assertThatThrownBy(() -> new BytePairTrainer(300).withSpecialTokens(" "))
                .hasMessageContaining("blank name");
        assertThatThrownBy(
                        () -> new BytePairTrainer(300).withSpecialTokens("the").train(List.of("the the")))
                .hasMessageContaining("special token the has id")
                .hasMessageContaining("<|the|>");
    }
}
