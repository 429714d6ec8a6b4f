package io.github.rlhf4j.transformer.tokenizer;

import java.util.function.Consumer;

/**
 * {@link Pretokenizer#GPT2_SPLIT} by hand: the same pieces as the regular expression, which stays the reference that the
 * tests compare with, several times faster. Splitting is what most of the time of training and encoding goes into.
 */
final class Gpt2Split {

    private static final int LETTER = 0;
    private static final int NUMBER = 1;
    private static final int SPACE = 2;
    private static final int OTHER = 3;

    private static final int LETTERS = 1 << Character.UPPERCASE_LETTER
            | 1 << Character.LOWERCASE_LETTER
            | 1 << Character.TITLECASE_LETTER
            | 1 << Character.MODIFIER_LETTER
            | 1 << Character.OTHER_LETTER;
    private static final int NUMBERS =
            1 << Character.DECIMAL_DIGIT_NUMBER | 1 << Character.LETTER_NUMBER | 1 << Character.OTHER_NUMBER;
    private static final int SEPARATORS =
            1 << Character.SPACE_SEPARATOR | 1 << Character.LINE_SEPARATOR | 1 << Character.PARAGRAPH_SEPARATOR;

    private Gpt2Split() {}

    /** Hands each piece of {@code text}, in order, to {@code action}. */
    static void forEachPiece(String text, Consumer<String> action) {
        for (int start = 0; start < text.length(); ) {
            int end = endOfPiece(text, start);
            action.accept(text.substring(start, end));
            start = end;
        }
    }

    private static int endOfPiece(String text, int start) {
        int contraction = text.charAt(start) == '\'' ? lengthOfContraction(text, start + 1) : 0;
        if (contraction > 0) {
            return start + 1 + contraction;
        }
        int first = start;
        if (text.charAt(start) == ' ' && start + 1 < text.length()) {
            first++; // a word, a number or marks may take one space along
        }
        int kind = kind(text.codePointAt(first));
        return kind == SPACE ? endOfSpaces(text, start) : endOfRun(text, first, kind);
    }

    /** The length of s, d, m, t, ll, ve or re at {@code at}, or 0. */
    private static int lengthOfContraction(String text, int at) {
        if (at >= text.length()) {
            return 0;
        }
        return switch (text.charAt(at)) {
            case 's', 'd', 'm', 't' -> 1;
            case 'l' -> text.startsWith("ll", at) ? 2 : 0;
            case 'v' -> text.startsWith("ve", at) ? 2 : 0;
            case 'r' -> text.startsWith("re", at) ? 2 : 0;
            default -> 0;
        };
    }

    private static int endOfRun(String text, int start, int kind) {
        int end = start;
        while (end < text.length()) {
            int character = text.codePointAt(end);
            if (kind(character) != kind) {
                break;
            }
            end += Character.charCount(character);
        }
        return end;
    }

    /** White space before something else leaves its last character to what follows, if it has more than one. */
    private static int endOfSpaces(String text, int start) {
        int end = endOfRun(text, start, SPACE);
        return end == text.length() || end == start + 1 ? end : end - 1;
    }

    private static int kind(int character) {
        if (character < 0x80) {
            return kindOfAscii(character);
        }
        int type = 1 << Character.getType(character);
        if ((type & LETTERS) != 0) {
            return LETTER;
        }
        if ((type & NUMBERS) != 0) {
            return NUMBER;
        }
        return (type & SEPARATORS) != 0 || character == 0x85 ? SPACE : OTHER;
    }

    private static int kindOfAscii(int character) {
        int lower = character | 0x20;
        if (lower >= 'a' && lower <= 'z') {
            return LETTER;
        }
        if (character >= '0' && character <= '9') {
            return NUMBER;
        }
        return character == ' ' || character >= '\t' && character <= '\r' ? SPACE : OTHER;
    }
}
