package io.github.rlhf4j.transformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingType;
import com.knuddels.jtokkit.api.IntArrayList;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.test.SharedData;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * GPT-2's own vocabulary gives the ids that jtokkit, an independent implementation, gives for it ({@code r50k_base}).
 *
 * <p>Unpaired surrogates cannot be compared: jtokkit turns each into a question mark, where ours keeps it. What can be
 * compared is the text with the question marks written in.
 */
class Gpt2VocabularyTest {

    private static final Encoding JTOKKIT = Encodings.newLazyEncodingRegistry().getEncoding(EncodingType.R50K_BASE);

    private static BytePairTokenizer gpt2;

    @BeforeAll
    static void loadVocabulary() throws IOException {
        gpt2 = BytePairTokenizer.load(
                SharedData.file("data/gpt2-bpe/encoder.json"),
                SharedData.file("data/gpt2-bpe/vocab.bpe"),
                "<|endoftext|>");
    }

    @Test
    void theVocabularyIsGpt2s() {
        assertThat(gpt2.vocabularySize()).isEqualTo(50257);
        assertThat(gpt2.specialToken("<|endoftext|>")).isEqualTo(50256);
        assertThat(gpt2.merges()).hasSize(50000);
        assertThat(gpt2.encode("Hello world")).isEqualTo(TokenSequence.of(15496, 995)); // as published by OpenAI
    }

    @Test
    void idsAreJtokkitsInEveryScript() {
        Texts.WELL_FORMED.forEach(Gpt2VocabularyTest::assertSameAsJtokkit);
        assertSameAsJtokkit(String.join("", Texts.WELL_FORMED));
        assertSameAsJtokkit(String.join("\n\n", Texts.WELL_FORMED));
    }

    @Test
    void idsAreJtokkitsOnEveryCharacterOfTheBasicPlaneBetweenLetters() {
        for (int c = 0; c <= 0xFFFF; c++) {
            if (Character.getType(c) != Character.SURROGATE) {
                assertSameAsJtokkit("a" + (char) c + "b " + (char) c + (char) c + " 1");
            }
        }
    }

    @Test
    void idsAreJtokkitsOnRandomMixtures() {
        Random random = new Random(20261123);
        List<String> texts =
                Texts.WELL_FORMED.stream().filter(t -> !t.isEmpty()).toList();
        for (int i = 0; i < 3000; i++) {
            StringBuilder mixture = new StringBuilder();
            for (int k = 0; k < 12; k++) {
                int[] points =
                        texts.get(random.nextInt(texts.size())).codePoints().toArray();
                int from = random.nextInt(points.length);
                mixture.append(new String(points, from, Math.min(points.length - from, 1 + random.nextInt(4))));
            }
            assertSameAsJtokkit(mixture.toString());
        }
    }

    @Test
    void idsAreJtokkitsOnRealText() throws IOException {
        for (String file : List.of(
                "data/bpe-training-oracle/german.txt",
                "data/bpe-training-oracle/corpus.en",
                "data/tinyshakespeare/input.txt")) {
            assertSameAsJtokkit(Files.readString(SharedData.file(file)));
        }
    }

    @Test
    void whereASurrogateIsBrokenTheRestOfTheTextIsUntouched() {
        for (String broken : Texts.BROKEN) {
            String text = "Before it. " + broken + "\nAfter it.";

            assertThat(gpt2.decode(gpt2.encode(text))).isEqualTo(text);
            String asJtokkitSeesIt = new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
            assertThat(jtokkit(text)).isEqualTo(jtokkit(asJtokkitSeesIt));
            assertSameAsJtokkit(asJtokkitSeesIt);
        }
    }

    private static void assertSameAsJtokkit(String text) {
        TokenSequence ids = gpt2.encode(text);

        assertThat(ids)
                .as("ids of \"%s\"", text.substring(0, Math.min(80, text.length())))
                .isEqualTo(jtokkit(text));
        assertThat(gpt2.decode(ids)).isEqualTo(text);
    }

    private static TokenSequence jtokkit(String text) {
        IntArrayList ids = JTOKKIT.encodeOrdinary(text);
        return TokenSequence.of(ids.toArray());
    }
}
