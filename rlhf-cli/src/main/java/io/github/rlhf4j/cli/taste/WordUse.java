package io.github.rlhf4j.cli.taste;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/** Whether a text uses a word, in any of its inflections. */
public final class WordUse {

    private static final Pattern BETWEEN_WORDS = Pattern.compile("[^\\p{L}\\p{N}']+");

    private static final Pattern POSSESSIVE_OR_QUOTE = Pattern.compile("^'+|'s$|'+$");
    private static final Set<String> ENDINGS =
            Set.of("s", "es", "d", "ed", "ing", "ings", "r", "er", "rs", "ers", "st", "est", "ly", "n", "en");
    private static final Set<String> DROPPING_ENDINGS =
            Set.of("ing", "ings", "ies", "ied", "ier", "iers", "iest", "ily", "ion", "ions");

    private WordUse() {}

    /**
     * Whether some word of {@code text} is {@code word} or a regular inflection of it, letter case aside; of a term of
     * several words any one of at least three letters will do.
     *
     * <p>From six letters on the word without its last letter is stem enough; a
     * shorter word needs a regular ending ({@code run}: {@code running}, not {@code rune}). Irregular forms are missed.
     */
    public static boolean uses(String text, String word) {
        List<String> tokens = words(text);
        List<String> parts = words(word);
        for (String part : parts) {
            boolean content = part.length() >= 3 || parts.size() == 1;
            if (content && tokens.stream().anyMatch(token -> inflects(token, part))) {
                return true;
            }
        }
        return false;
    }

    /** The words of a text, in lower case, without possessive endings. */
    static List<String> words(String text) {
        return BETWEEN_WORDS
                .splitAsStream(text.toLowerCase(Locale.ROOT))
                .map(token -> POSSESSIVE_OR_QUOTE.matcher(token).replaceAll(""))
                .filter(token -> !token.isEmpty())
                .toList();
    }

    private static boolean inflects(String token, String word) {
        if (token.equals(word)) {
            return true;
        }
        String stem = word.substring(0, word.length() - 1);
        if (stem.isEmpty() || !token.startsWith(stem) || token.length() == stem.length()) {
            return false;
        }
        String rest = token.substring(stem.length());
        char last = word.charAt(word.length() - 1);
        if (rest.charAt(0) == last) {
            String ending = rest.substring(1);
            boolean doubled = ending.length() > 1 && ending.charAt(0) == last;
            return longEnough(word, rest) || ENDINGS.contains(doubled ? ending.substring(1) : ending);
        }
        return longEnough(word, rest) || (last == 'e' || last == 'y') && DROPPING_ENDINGS.contains(rest);
    }

    private static boolean longEnough(String word, String rest) {
        return word.length() >= 6 && rest.length() <= 5;
    }
}
