package io.github.rlhf4j.cli.wordnet;

import io.github.rlhf4j.cli.taste.WordUse;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Demonstration;
import io.github.rlhf4j.core.Message;
import io.github.rlhf4j.core.random.RandomKey;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Questions for the meaning of a word, and the dictionary's answers to them. The word follows a blank, as it does in
 * an example, so that a byte-level tokenizer gives both the same tokens and a small model can learn to copy it.
 */
public final class WordQuestions {

    private static final List<String> WORDINGS = List.of(
            "What does %s mean?", "What is the meaning of %s?", "Explain the word %s.", "How would you explain %s?");
    private static final Pattern QUOTED = Pattern.compile("\"([^\"]+)\"");
    private static final Pattern ASKED = Pattern.compile(WORDINGS.stream()
            .map(wording -> Pattern.quote(wording).replace("%s", "\\E(.+)\\Q"))
            .collect(Collectors.joining("|")));
    /** Common words, not the names of people, places and species: lower case, at most two words. */
    private static final Pattern COMMON = Pattern.compile("[a-z][a-z'-]+(?: [a-z][a-z'-]*)?");

    private final RandomKey key;

    /** Questions whose wording is drawn with this seed, a word having always the same one. */
    public WordQuestions(long seed) {
        this.key = RandomKey.of(seed).child("wording");
    }

    /** The question for this word. */
    public String question(String word) {
        return String.format(WORDINGS.get(key.child(word).below(WORDINGS.size())), word);
    }

    /** The question for this word as a conversation's first turn. */
    public Conversation conversation(String word) {
        return Conversation.of(question(word));
    }

    /**
     * The word that a question asks for: what its quotation marks enclose, or else where a word stands in one of the
     * wordings here.
     *
     * @throws IllegalArgumentException when neither tells
     */
    public static String askedWord(String question) {
        Matcher quoted = QUOTED.matcher(question);
        if (quoted.find()) {
            return quoted.group(1);
        }
        Matcher asked = ASKED.matcher(question.strip());
        if (asked.matches()) {
            return IntStream.rangeClosed(1, asked.groupCount())
                    .mapToObj(asked::group)
                    .filter(Objects::nonNull)
                    .findFirst()
                    .orElseThrow();
        }
        throw new IllegalArgumentException("the question \"" + question
                + "\" does not say which word it asks for; write it as: What does abacus mean?");
    }

    /** Whether a dictionary for learners would be asked for this word: no names, no numbers, at most two words. */
    public static boolean isCommon(String word) {
        return COMMON.matcher(word).matches();
    }

    /**
     * Questions answered by the dictionary, for entries whose headword {@link #isCommon}: all whose first example uses the
     * word, and a fifth of the others, as demonstrators would mostly choose good entries.
     */
    public List<Demonstration> demonstrations(List<DictionaryEntry> entries) {
        List<Demonstration> demonstrations = new ArrayList<>();
        for (DictionaryEntry entry : entries) {
            if (isCommon(entry.word())
                    && (showsUse(entry)
                            || key.child("others").child(entry.gloss()).uniform() < 0.2)) {
                demonstrations.add(demonstration(entry));
            }
        }
        return demonstrations;
    }

    private static boolean showsUse(DictionaryEntry entry) {
        return entry.hasExample() && WordUse.uses(entry.examples().get(0), entry.word());
    }

    private Demonstration demonstration(DictionaryEntry entry) {
        return new Demonstration(conversation(entry.word()).with(Message.assistant(entry.explanation())));
    }

    /** The different common headwords of the entries, shuffled. */
    public List<String> words(List<DictionaryEntry> entries) {
        Set<String> words = new LinkedHashSet<>();
        entries.stream()
                .map(DictionaryEntry::word)
                .filter(WordQuestions::isCommon)
                .forEach(words::add);
        List<String> list = List.copyOf(words);
        List<String> shuffled = new ArrayList<>();
        for (int index : key.child("order").permutation(list.size())) {
            shuffled.add(list.get(index));
        }
        return shuffled;
    }
}
