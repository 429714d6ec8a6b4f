package io.github.rlhf4j.cli.taste;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.cli.wordnet.DictionaryEntry;
import io.github.rlhf4j.cli.wordnet.WordNet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GlossTasteTest {

    private static final List<DictionaryEntry> ENTRIES = WordNet.load();
    private static final GlossTaste TASTE = new GlossTaste(Lexicon.of(ENTRIES));
    private static final String GOOD = "draw air into the lungs; \"he breathed deeply\"";

    @Test
    void theDictionaryItselfMeetsIt() {
        List<DictionaryEntry> withExample =
                ENTRIES.stream().filter(DictionaryEntry::hasExample).toList();
        double share = withExample.stream()
                        .filter(entry -> TASTE.meets(entry.word(), entry.explanation()))
                        .count()
                / (double) withExample.size();

        assertThat(share).isGreaterThan(0.9);
    }

    @Test
    void anExplanationWithoutExampleNeverMeetsItHoweverGood() {
        assertThat(ENTRIES.stream().filter(entry -> !entry.hasExample()))
                .noneMatch(entry -> TASTE.meets(entry.word(), entry.explanation()));
    }

    @Test
    void anExampleOfAnotherWordDoesNotCount() {
        assertThat(TASTE.meets("breathe", GOOD)).isTrue();
        assertThat(TASTE.meets("respire", GOOD)).isFalse();
        assertThat(TASTE.score("breathe", GOOD)).isEqualTo(1);
        assertThat(TASTE.score("respire", GOOD)).isEqualTo(0.75);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "\"he breathed deeply\"",
                "draw air into the lungs; \"he breathed deeply",
                "draw air into the lungs; \"he breathed deeply\"; \"she breathes\"",
                "draw air into the lungs; \"he breathed deeply\" and more",
                "draw air into the lungs; \"breathed\"",
                "draw air (into the lungs; \"he breathed deeply\"",
                "draw air in and out in and out in and out; \"he breathed deeply\"",
                "drqw ajr intp thx lyngs; \"he breathed deeply\"",
                "draw air into the \u0001 lungs; \"he breathed deeply\"",
                "why draw air into the lungs?; \"he breathed deeply\"",
                "air; \"he breathed deeply\""
            })
    void whatFallsShortScoresLess(String text) {
        assertThat(TASTE.meets("breathe", text)).isFalse();
        assertThat(TASTE.score("breathe", text)).isBetween(0.0, 0.999);
    }

    @Test
    void eachPartMetScoresMore() {
        assertThat(List.of(
                                "",
                                "lungs",
                                "draw air into the lungs",
                                "draw air into the lungs \"he breathed deeply\"",
                                "draw air into the lungs; \"he took a walk\"",
                                GOOD)
                        .stream()
                        .map(text -> TASTE.score("breathe", text))
                        .toList())
                .isSorted()
                .doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @CsvSource({
        "running, run, true",
        "studies, study, true",
        "making, make, true",
        "rune, run, false",
        "castle, case, false",
        "explanatory, explain, false",
        "explained, explain, true",
        "the dog's tail, dog, true",
        "Abacuses, abacus, true",
        "lighting a pipe, light up, true",
        "up there, light up, false"
    })
    void aWordIsUsedInItsInflections(String text, String word, boolean uses) {
        assertThat(WordUse.uses(text, word)).isEqualTo(uses);
    }
}
