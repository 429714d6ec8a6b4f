package io.github.rlhf4j.cli.wordnet;

import io.github.rlhf4j.cli.taste.WordUse;
import java.util.ArrayList;
import java.util.List;

/**
 * One meaning, and the words that have it.
 *
 * @param word the headword: the first of {@code lemmas} that occurs in the first example, otherwise the first of them
 * @param lemmas all words of this meaning, as they are written in running text; at least one
 * @param partOfSpeech noun, verb, adjective or adverb
 * @param definition what it means, without the examples
 * @param examples the quoted examples, without their quotes, in the dictionary's order; possibly empty
 * @param gloss definition and examples as the dictionary has them
 */
public record DictionaryEntry(
        String word,
        List<String> lemmas,
        PartOfSpeech partOfSpeech,
        String definition,
        List<String> examples,
        String gloss) {

    public DictionaryEntry {
        lemmas = List.copyOf(lemmas);
        examples = List.copyOf(examples);
    }

    public boolean hasExample() {
        return !examples.isEmpty();
    }

    /** The entry as a dictionary prints it: {@code noun abacus: a calculator that …}, and the first example if any. */
    public String explanation() {
        return heading(word) + ": " + (hasExample() ? definition + "; \"" + examples.get(0) + "\"" : definition);
    }

    private String heading(String lemma) {
        return partOfSpeech.label() + " " + lemma;
    }

    /**
     * What a dictionary prints of this meaning, under its running head: {@code entry abacus}, {@code noun abacus: a
     * calculator that …}; and each example by itself under the word that it uses. The head makes a language model copy a
     * word at once, which it needs for examples that use the word.
     */
    public List<String> documents() {
        List<String> documents = new ArrayList<>();
        documents.add(runningHead(word) + heading(word) + ": " + gloss);
        for (String example : examples) {
            lemmas.stream()
                    .filter(lemma -> WordUse.uses(example, lemma))
                    .findFirst()
                    .ifPresent(lemma ->
                            documents.add(runningHead(lemma) + heading(lemma) + ", as in \"" + example + "\""));
        }
        return documents;
    }

    /** The line above a word's entry. */
    public static String runningHead(String word) {
        return "entry " + word + "\n";
    }
}
