package io.github.rlhf4j.transformer.tokenizer;

import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * One token per Unicode character (code point) of a fixed alphabet; immutable, safe for use from many threads.
 *
 * <p>A character outside the alphabet is an error, unless the tokenizer was made {@link #withUnknown}: then it becomes
 * U+FFFD, and {@code decode(encode(text))} is {@code text} only for texts of the alphabet.
 */
public final class CharacterTokenizer implements Tokenizer {

    static final String UNKNOWN = String.valueOf(Wtf8.REPLACEMENT);

    private final Vocabulary vocabulary;
    private final Map<Integer, Integer> idOfCharacter = new HashMap<>();
    private final boolean withUnknown;

    private CharacterTokenizer(Vocabulary vocabulary, boolean withUnknown) {
        this.vocabulary = vocabulary;
        this.withUnknown = withUnknown;
        for (int id = 0; id < vocabulary.size(); id++) {
            if (!vocabulary.isSpecial(id)) {
                idOfCharacter.put(checkCharacter(vocabulary.spelling(id)), id);
            }
        }
    }

    /**
     * The tokenizer of the characters in {@code texts}, in ascending order of code point (nanoGPT's character
     * vocabulary), followed by the special tokens.
     *
     * @throws IllegalArgumentException when there is no character at all, when half of a surrogate pair stands alone, or
     *     when a special token is listed twice or spelled like a character
     */
    public static CharacterTokenizer fromTexts(Iterable<String> texts, String... specialTokens) {
        TreeSet<Integer> alphabet = new TreeSet<>();
        texts.forEach(text -> text.codePoints().forEach(alphabet::add));
        if (alphabet.isEmpty()) {
            throw new IllegalArgumentException(
                    "cannot make a character tokenizer: the texts hold no character. Give it a text that is not empty.");
        }
        Map<String, Integer> characters = new LinkedHashMap<>();
        alphabet.forEach(c -> characters.put(Character.toString(c), characters.size()));
        Map<String, Integer> special = SpecialTokens.number(Arrays.asList(specialTokens), characters.size());
        return of(characters, special, false);
    }

    /** A tokenizer with these ids; checks them as {@link #fromTexts} does. */
    static CharacterTokenizer of(Map<String, Integer> characters, Map<String, Integer> special, boolean withUnknown) {
        return new CharacterTokenizer(new Vocabulary(characters, special), withUnknown);
    }

    private static int checkCharacter(String spelling) {
        int character = spelling.isEmpty() ? -1 : spelling.codePointAt(0);
        if (character < 0 || Character.charCount(character) != spelling.length()) {
            throw new IllegalArgumentException(
                    "token \"" + spelling + "\" is not one character. If it is a special token,"
                            + " list it among the special (added) tokens.");
        }
        if (Character.getType(character) == Character.SURROGATE) {
            throw new IllegalArgumentException(describe(character)
                    + " is half of a surrogate pair and no character. Repair the text where it was cut.");
        }
        return character;
    }

    /**
     * The same tokenizer, with U+FFFD standing for every character outside the alphabet; it takes the next free id unless
     * the alphabet has it already.
     */
    public CharacterTokenizer withUnknown() {
        Map<String, Integer> characters = vocabulary.inOrder();
        characters.putIfAbsent(UNKNOWN, vocabulary.size());
        return of(characters, vocabulary.special(), true);
    }

    /** Whether characters outside the alphabet become U+FFFD instead of an error. */
    public boolean hasUnknown() {
        return withUnknown;
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalArgumentException naming the first character that is not in the alphabet, unless made
     *     {@link #withUnknown}
     */
    @Override
    public TokenSequence encode(String text) {
        IntBuffer ids = new IntBuffer(text.length());
        for (int i = 0; i < text.length(); ) {
            int character = text.codePointAt(i);
            ids.add(idOf(character, i));
            i += Character.charCount(character);
        }
        return TokenSequence.of(ids.toArray());
    }

    private int idOf(int character, int index) {
        Integer id = idOfCharacter.get(character);
        if (id == null && withUnknown) {
            id = idOfCharacter.get((int) Wtf8.REPLACEMENT);
        }
        if (id == null) {
            throw new IllegalArgumentException(describe(character) + " at index " + index
                    + " is not among the " + idOfCharacter.size()
                    + " characters of this tokenizer. Train it on texts that"
                    + " hold the character, remove it, or use withUnknown().");
        }
        return id;
    }

    private static String describe(int character) {
        boolean printable = !Character.isISOControl(character) && Character.getType(character) != Character.SURROGATE;
        String shown = printable ? "'" + Character.toString(character) + "' " : "";
        return "character " + shown + String.format("U+%04X", character);
    }

    @Override
    public String decode(TokenSequence tokens) {
        StringBuilder text = new StringBuilder(tokens.length());
        for (int i = 0; i < tokens.length(); i++) {
            text.append(text(tokens.get(i)));
        }
        return text.toString();
    }

    private String text(int token) {
        return vocabulary.isSpecial(token) ? "" : vocabulary.spelling(token);
    }

    @Override
    public StreamingDecoder streamingDecoder() {
        return new StreamingDecoder() {
            @Override
            public String accept(int token) {
                return text(token);
            }

            @Override
            public String finish() {
                return "";
            }
        };
    }

    @Override
    public int vocabularySize() {
        return vocabulary.size();
    }

    @Override
    public Map<String, Integer> specialTokens() {
        return vocabulary.special();
    }

    /** Every character, and every special token by name, in the order of the ids. */
    public List<String> tokens() {
        return new ArrayList<>(vocabulary.inOrder().keySet());
    }

    /** Equal when every text encodes to the same ids, or fails alike. */
    @Override
    public boolean equals(Object o) {
        return o instanceof CharacterTokenizer other
                && withUnknown == other.withUnknown
                && vocabulary.equals(other.vocabulary);
    }

    @Override
    public int hashCode() {
        return vocabulary.hashCode();
    }

    @Override
    public String toString() {
        return "CharacterTokenizer[vocabularySize=" + vocabularySize() + ", specialTokens=" + specialTokens()
                + ", withUnknown=" + withUnknown + "]";
    }
}
