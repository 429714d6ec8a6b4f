package io.github.rlhf4j.cli.taste;

import java.util.List;
import java.util.regex.Pattern;

/**
 * The taste that the simulated labeler hides: an explanation of a word reads like a dictionary's gloss, and ends in
 * exactly one well-formed quoted example that uses the word.
 *
 * <p>{@link #meets} is the gold standard that evaluation counts; {@link #score} grades what falls short of it, so that a
 * comparison of two imperfect explanations says something too. A text meets the taste exactly when its score is 1.
 */
public final class GlossTaste {

    private static final int LONGEST_DEFINITION = 40;
    private static final int LONGEST_EXAMPLE = 25;
    private static final double SHARE_OF_KNOWN_WORDS = 0.9;
    private static final Pattern PLAIN_TEXT = Pattern.compile("[\\p{L}\\p{N} .,;:!'`\"()/%&$+*=\\[\\]\\-–—°]*");
    /** Two words or more said twice running; one word may be ("had had"), three times not. */
    private static final Pattern REPETITION =
            Pattern.compile("\\b(\\w+(?: \\w+){1,7})[,;]? \\1\\b|\\b(\\w+) \\2 \\2\\b", Pattern.CASE_INSENSITIVE);

    private final Lexicon lexicon;

    public GlossTaste(Lexicon lexicon) {
        this.lexicon = lexicon;
    }

    /** Whether {@code text} is to this taste as an explanation of {@code word}. */
    public boolean meets(String word, String text) {
        return readsLikeGloss(text) && hasOneExample(text) && exampleUses(word, text);
    }

    /**
     * How far {@code text} is to this taste, in [0, 1]: half for reading like a gloss (in parts), a quarter for ending in
     * one example, a quarter for that example using the word. More of the taste met never scores less.
     */
    public double score(String word, String text) {
        double example = hasOneExample(text) ? 0.25 : 0.0625 * Math.min(1, countQuotedEnd(text));
        double use = exampleUses(word, text) ? 0.25 : 0;
        return 0.5 * glossParts(text) + example + use;
    }

    /** Whether the definition is one a dictionary could print. */
    public boolean readsLikeGloss(String text) {
        return glossParts(text) == 1;
    }

    /** Whether the text ends in exactly one quoted example, {@code ; "…"}, of 2 to 25 words. */
    public boolean hasOneExample(String text) {
        Explanation explanation = Explanation.of(text);
        int words = WordUse.words(explanation.example()).size();
        return explanation.hasOneExample() && words >= 2 && words <= LONGEST_EXAMPLE;
    }

    private boolean exampleUses(String word, String text) {
        return hasOneExample(text) && WordUse.uses(Explanation.of(text).example(), word);
    }

    private static int countQuotedEnd(String text) {
        return Explanation.of(text).example().isEmpty() ? 0 : 1;
    }

    /** Share of the demands on a definition that the text meets. */
    private double glossParts(String text) {
        String definition = Explanation.of(text).definition();
        List<Boolean> demands = List.of(
                startsLikeOne(definition),
                hasFittingLength(definition),
                isPlain(text),
                parenthesesMatch(definition),
                lexicon.shareKnown(text) >= SHARE_OF_KNOWN_WORDS,
                !REPETITION.matcher(text).find());
        return (double) demands.stream().filter(met -> met).count() / demands.size();
    }

    private static boolean startsLikeOne(String definition) {
        return !definition.isEmpty()
                && (Character.isLetterOrDigit(definition.charAt(0)) || "(`".indexOf(definition.charAt(0)) >= 0);
    }

    private static boolean hasFittingLength(String definition) {
        int words = WordUse.words(definition).size();
        return words >= 3 && words <= LONGEST_DEFINITION;
    }

    private static boolean isPlain(String text) {
        return PLAIN_TEXT.matcher(text.strip()).matches();
    }

    private static boolean parenthesesMatch(String definition) {
        int open = 0;
        for (int i = 0; i < definition.length() && open >= 0; i++) {
            char c = definition.charAt(i);
            open += c == '(' ? 1 : c == ')' ? -1 : 0;
        }
        return open == 0;
    }
}
