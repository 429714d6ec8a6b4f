package io.github.rlhf4j.cli.wordnet;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.core.Demonstration;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.junit.jupiter.api.Test;

class WordNetTest {

    private static final List<DictionaryEntry> ENTRIES = WordNet.load();

    @Test
    void theWholeDictionaryIsRead() {
        assertThat(ENTRIES).hasSize(117_791);
        assertThat(ENTRIES.stream().mapToInt(entry -> entry.examples().size()).sum())
                .isEqualTo(48_571);
        assertThat(ENTRIES.stream().filter(DictionaryEntry::hasExample)).hasSize(33_012);
        assertThat(ENTRIES.stream()
                        .mapToInt(entry -> entry.gloss().getBytes(StandardCharsets.UTF_8).length)
                        .sum())
                .isEqualTo(8_873_693);
    }

    @Test
    void aMeaningIsTakenApart() {
        DictionaryEntry entry = ENTRIES.stream()
                .filter(e -> e.lemmas().contains("breathe") && e.lemmas().contains("respire"))
                .findFirst()
                .orElseThrow();

        assertThat(entry.partOfSpeech()).isEqualTo(PartOfSpeech.VERB);
        assertThat(entry.lemmas()).containsExactly("breathe", "take a breath", "respire", "suspire");
        assertThat(entry.word()).isEqualTo("breathe");
        assertThat(entry.definition()).isEqualTo("draw air into, and expel out of, the lungs");
        assertThat(entry.examples())
                .containsExactly("I can breathe better when the air is clean", "The patient is respiring");
        assertThat(entry.explanation())
                .isEqualTo("verb breathe: draw air into, and expel out of, the lungs; "
                        + "\"I can breathe better when the air is clean\"");
        assertThat(entry.documents())
                .containsExactly(
                        "entry breathe\nverb breathe: " + entry.gloss(),
                        "entry breathe\nverb breathe, as in \"I can breathe better when the air is clean\"",
                        "entry respire\nverb respire, as in \"The patient is respiring\"");
    }

    @Test
    void theHeadwordIsTheOneTheExampleUses() {
        DictionaryEntry entry = WordNet.parse(
                "00000001 32 v 02 sugarcoat 0 gild_the_pill(p) 0 000 | make nicer; \"he gilds the pill\"  ",
                PartOfSpeech.VERB);

        assertThat(entry.word()).isEqualTo("gild the pill");
    }

    @Test
    void noWordOfAHeldOutEntryTrains() {
        DictionarySplit split = DictionarySplit.of(ENTRIES, 0.05, 1);
        Set<String> trained = new HashSet<>();
        split.training().forEach(entry -> entry.lemmas().forEach(lemma -> trained.add(lemma.toLowerCase(Locale.ROOT))));

        assertThat(split.training()).hasSizeGreaterThan(100_000);
        assertThat(split.heldOut()).hasSizeGreaterThan(2_000).allSatisfy(entry -> assertThat(entry.lemmas())
                .noneMatch(lemma -> trained.contains(lemma.toLowerCase(Locale.ROOT))));
    }

    @Test
    void eachQuestionSaysItsWordAndMostAnswersShowItInUse() {
        WordQuestions questions = new WordQuestions(1);
        List<Demonstration> demonstrations = questions.demonstrations(ENTRIES.subList(50_000, 51_000));

        assertThat(demonstrations).hasSizeGreaterThan(100).allSatisfy(demonstration -> {
            String word = WordQuestions.askedWord(demonstration.conversation().lastUserText());
            assertThat(demonstration.conversation().last().content()).contains(" " + word + ": ");
        });
        long shown = demonstrations.stream()
                .filter(demonstration ->
                        demonstration.conversation().last().content().endsWith("\""))
                .count();
        assertThat(shown).isGreaterThan(demonstrations.size() / 2);
        assertThat(WordQuestions.askedWord(questions.question("light up"))).isEqualTo("light up");
        assertThat(questions.words(ENTRIES))
                .doesNotHaveDuplicates()
                .contains("abacus")
                .doesNotContain("Albert Einstein");
    }
}
