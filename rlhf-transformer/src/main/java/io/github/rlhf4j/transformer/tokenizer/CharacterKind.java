package io.github.rlhf4j.transformer.tokenizer;

/** What a character is to the splits: a letter ({@code \p{L}}), a number ({@code \p{N}}), white space or something else. */
final class CharacterKind {

    static final int LETTER = 0;
    static final int NUMBER = 1;
    static final int SPACE = 2;
    static final int OTHER = 3;

    private static final int LETTERS = 1 << Character.UPPERCASE_LETTER
            | 1 << Character.LOWERCASE_LETTER
            | 1 << Character.TITLECASE_LETTER
            | 1 << Character.MODIFIER_LETTER
            | 1 << Character.OTHER_LETTER;
    private static final int NUMBERS =
            1 << Character.DECIMAL_DIGIT_NUMBER | 1 << Character.LETTER_NUMBER | 1 << Character.OTHER_NUMBER;
    private static final int SEPARATORS =
            1 << Character.SPACE_SEPARATOR | 1 << Character.LINE_SEPARATOR | 1 << Character.PARAGRAPH_SEPARATOR;

    private static final byte[] OF_ASCII = new byte[0x80];

    static {
        for (int c = 0; c < 0x80; c++) {
            OF_ASCII[c] = (byte) ofAscii(c);
        }
    }

    private CharacterKind() {}

    static int of(int character) {
        if (character < 0x80) {
            return OF_ASCII[character];
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

    private static int ofAscii(int character) {
        int lower = character | 0x20;
        if (lower >= 'a' && lower <= 'z') {
            return LETTER;
        }
        if (character >= '0' && character <= '9') {
            return NUMBER;
        }
        return character == ' ' || character >= '\t' && character <= '\r' ? SPACE : OTHER;
    }

    /** Where the run of this kind that begins at {@code start} ends, at most {@code limit}. */
    static int endOfRun(String text, int start, int limit, int kind) {
        int end = start;
        while (end < limit) {
            int character = text.charAt(end);
            if (character >= 0x80) {
                character = text.codePointAt(end);
            }
            if (of(character) != kind) {
                break;
            }
            end += Character.charCount(character);
        }
        return end;
    }

    /** Whether a character can be part of a word ({@code \w} of Unicode). */
    static boolean isOfWord(int character) {
        int type = Character.getType(character);
        return Character.isAlphabetic(character)
                || type == Character.NON_SPACING_MARK
                || type == Character.ENCLOSING_MARK
                || type == Character.COMBINING_SPACING_MARK
                || type == Character.DECIMAL_DIGIT_NUMBER
                || type == Character.CONNECTOR_PUNCTUATION
                || character == 0x200C
                || character == 0x200D;
    }
}
