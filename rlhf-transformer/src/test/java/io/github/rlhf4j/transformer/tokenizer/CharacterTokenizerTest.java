package io.github.rlhf4j.transformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class CharacterTokenizerTest {

    private static final String ALPHABET = " \nabcé你😀";
    private static final CharacterTokenizer TOKENIZER =
            CharacterTokenizer.fromTexts(List.of("cba😀", ALPHABET), "<|end|>");

    @Property(tries = 300)
    void decodingUndoesEncodingOnTextsOfTheAlphabet(@ForAll("texts") String text) {
        TokenSequence tokens = TOKENIZER.encode(text);

        assertThat(tokens.length()).isEqualTo(text.codePointCount(0, text.length()));
        assertThat(TOKENIZER.decode(tokens)).isEqualTo(text);
        assertThat(stream(tokens)).isEqualTo(text);
    }

    @Example
    void idsFollowTheCodePointsAndSpecialTokensComeLast() {
        assertThat(TOKENIZER.tokens()).containsExactly("\n", " ", "a", "b", "c", "é", "你", "😀", "<|end|>");
        assertThat(TOKENIZER.encode("ab\n")).isEqualTo(TokenSequence.of(2, 3, 0));
        assertThat(TOKENIZER.vocabularySize()).isEqualTo(9);
        assertThat(TOKENIZER.specialToken("<|end|>")).isEqualTo(8);
        assertThat(TOKENIZER.decode(TokenSequence.of(2, 8, 3))).isEqualTo("ab");
    }

    @Example
    void aCharacterOutsideTheAlphabetIsNamedWithTheRemedy() {
        assertThatThrownBy(() -> TOKENIZER.encode("abx"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("character 'x' U+0078 at index 2")
                .hasMessageContaining("8 characters")
                .hasMessageContaining("withUnknown()");
        assertThatThrownBy(() -> TOKENIZER.encode("\u0007")).hasMessageContaining("character U+0007 at index 0");
        assertThatThrownBy(() -> TOKENIZER.encode("<|end|>")).hasMessageContaining("character '<'");
        assertThatThrownBy(() -> TOKENIZER.encode("\ud83d")).hasMessageContaining("character U+D83D");
    }

    @Example
    void withUnknownEveryOtherCharacterIsTheReplacement() {
        CharacterTokenizer tokenizer = TOKENIZER.withUnknown();
        TokenSequence tokens = tokenizer.encode("a?\ud83db");

        assertThat(tokens).isEqualTo(TokenSequence.of(2, 9, 9, 3));
        assertThat(tokenizer.decode(tokens)).isEqualTo("a\ufffd\ufffdb");
        assertThat(tokenizer.specialToken("<|end|>")).isEqualTo(8);
        assertThat(tokenizer.withUnknown()).isEqualTo(tokenizer).isNotEqualTo(TOKENIZER);
    }

    @Example
    void anIdOutsideTheVocabularyIsRefused() {
        assertThatThrownBy(() -> TOKENIZER.decode(TokenSequence.of(9)))
                .hasMessageContaining("token id 9 is outside the vocabulary of 9 tokens");
        assertThatThrownBy(() -> TOKENIZER.streamingDecoder().accept(-3)).hasMessageContaining("token id -3");
    }

    @Example
    void impossibleAlphabetsAreRefused() {
        assertThatThrownBy(() -> CharacterTokenizer.fromTexts(List.of("", "")))
                .hasMessageContaining("the texts hold no character");
        assertThatThrownBy(() -> CharacterTokenizer.fromTexts(List.of("a\udc00")))
                .hasMessageContaining("U+DC00 is half of a surrogate pair")
                .hasMessageContaining("Repair the text");
        assertThatThrownBy(() -> CharacterTokenizer.fromTexts(List.of("ab"), "a"))
                .hasMessageContaining("special token a has id 2")
                .hasMessageContaining("<|a|>");
        assertThatThrownBy(() -> CharacterTokenizer.fromTexts(List.of("ab"), "<|x|>", "<|x|>"))
                .hasMessageContaining("<|x|> is listed twice");
    }

    private static String stream(TokenSequence tokens) {
        Tokenizer.StreamingDecoder decoder = TOKENIZER.streamingDecoder();
        StringBuilder text = new StringBuilder();
        tokens.stream().forEach(token -> text.append(decoder.accept(token)));
        return text.append(decoder.finish()).toString();
    }

    @Provide
    Arbitrary<String> texts() {
        return Arbitraries.of(
                        ALPHABET.codePoints().mapToObj(Character::toString).toList())
                .list()
                .ofMaxSize(40)
                .map(characters -> String.join("", characters));
    }
}
