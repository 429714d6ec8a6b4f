package io.github.rlhf4j.transformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class PretokenizerTest {

    /** In brackets the pattern is a stranger, and so runs as a regular expression. */
    private static final Pretokenizer REGEX = Pretokenizer.of(List.of("(?:" + Split.GPT2 + ")"));

    @Property(tries = 2000)
    void theSplitByHandIsTheRegularExpression(@ForAll("texts") String text) {
        assertThat(Pretokenizer.gpt2().pieces(text)).isEqualTo(REGEX.pieces(text));
    }

    @Example
    void theSplitByHandIsTheRegularExpressionOnEveryCharacter() {
        StringBuilder text = new StringBuilder();
        for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
            text.append('a').appendCodePoint(c).append(c % 2 == 0 ? "1" : " ");
        }

        assertThat(Pretokenizer.gpt2().pieces(text.toString()).equals(REGEX.pieces(text.toString())))
                .isTrue();
    }

    @Property(tries = 2000)
    void theSplitsOfLlama3AndQwen2ByHandAreTheRegularExpressions(@ForAll("texts") String text) {
        for (String split : List.of(Split.LLAMA3, Split.QWEN2, Split.DIGIT)) {
            Pretokenizer regex = Pretokenizer.of(List.of("(?:" + split + ")"));
            assertThat(Pretokenizer.of(List.of(split)).pieces(text)).isEqualTo(regex.pieces(text));
        }
    }

    @Example
    void piecesAreThoseOfGpt2() {
        assertThat(Pretokenizer.gpt2().pieces("I'll say: don't\u00a0go,  it's 12x!'s\n\n  end \t"))
                .containsExactly(
                        "I", "'ll", " say", ":", " don", "'t", "\u00a0", "go", ",", " ", " it", "'s", " 12", "x", "!'",
                        "s", "\n\n ", " end", " \t");
    }

    @Provide
    Arbitrary<String> texts() {
        Arbitrary<String> tricky = Arbitraries.of(
                        "'", "s", "ll", "l", "v", "ve", "re", "r", " ", " ", "\n", "\t", "\u00a0", "\u0085", "\u2028",
                        "\u3000", "1", "½", "你", "é", "\u0301", "!", "😀", "\ud83d", "\ude00", "𝔘", "𝟘", "\u001c",
                        "\u200b", "T", "S", "LL", "\u017f", "\r")
                .list()
                .ofMaxSize(25)
                .map(parts -> String.join("", parts));
        return Arbitraries.oneOf(tricky, Texts.anyString());
    }
}
