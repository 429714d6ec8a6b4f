package io.github.rlhf4j.cli.wordnet;

import java.util.Locale;

/** The four files of WordNet. */
public enum PartOfSpeech {
    NOUN("noun"),
    VERB("verb"),
    ADJECTIVE("adj"),
    ADVERB("adv");

    private final String suffix;

    PartOfSpeech(String suffix) {
        this.suffix = suffix;
    }

    /** The suffix of this part's file: {@code data.noun}. */
    String suffix() {
        return suffix;
    }

    /** The name as a dictionary prints it: {@code noun}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
