package io.github.rlhf4j.cli.taste;

import io.github.rlhf4j.cli.wordnet.DictionaryEntry;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The words that count as English: those that the dictionary itself uses, in headwords, definitions and examples. */
public final class Lexicon {

    private final Set<String> words;

    private Lexicon(Set<String> words) {
        this.words = words;
    }

    public static Lexicon of(Collection<DictionaryEntry> entries) {
        Set<String> words = new HashSet<>();
        for (DictionaryEntry entry : entries) {
            words.addAll(WordUse.words(entry.gloss()));
            entry.lemmas().forEach(lemma -> words.addAll(WordUse.words(lemma)));
        }
        return new Lexicon(words);
    }

    public int size() {
        return words.size();
    }

    /** Share of the words of a text that are in the lexicon, in [0, 1]; 0 for a text without words. */
    public double shareKnown(String text) {
        List<String> tokens = WordUse.words(text);
        if (tokens.isEmpty()) {
            return 0;
        }
        return (double) tokens.stream().filter(words::contains).count() / tokens.size();
    }
}
