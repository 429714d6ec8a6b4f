package io.github.rlhf4j.transformer.tokenizer;

import java.util.Arrays;

/**
 * GPT-2's spelling of bytes as printable characters, in which byte-level vocabularies are written to files.
 *
 * <p>Bytes that are printable in Latin-1 stand for themselves; the other 68, in ascending order, are the characters from
 * U+0100 on (so that the space is {@code Ġ} and the line feed {@code Ċ}). No character of the alphabet is white space,
 * which is why {@code "left right"} spells a merge without ambiguity.
 *
 * @see <a href="https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf">
 *     Radford et al. 2019, §2.2</a>
 */
final class ByteAlphabet {

    private static final char[] LETTER_OF_BYTE = new char[256];
    private static final int[] BYTE_OF_LETTER = new int[256 + 68];
    private static final int[] IN_ORDER = new int[256];

    static {
        int printable = 0;
        int others = 0;
        Arrays.fill(BYTE_OF_LETTER, -1);
        int[] unprintable = new int[68];
        for (int b = 0; b < 256; b++) {
            if (isPrintable(b)) {
                LETTER_OF_BYTE[b] = (char) b;
                IN_ORDER[printable++] = b;
            } else {
                LETTER_OF_BYTE[b] = (char) (256 + others);
                unprintable[others++] = b;
            }
            BYTE_OF_LETTER[LETTER_OF_BYTE[b]] = b;
        }
        System.arraycopy(unprintable, 0, IN_ORDER, printable, others);
    }

    private ByteAlphabet() {}

    private static boolean isPrintable(int b) {
        return b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
    }

    /** The {@code index}-th byte, 0..255, in the order in which GPT-2 numbers the tokens of one byte. */
    static int byteAt(int index) {
        return IN_ORDER[index];
    }

    /** The spelling of these bytes, one character each. */
    static String spell(byte[] bytes) {
        char[] letters = new char[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            letters[i] = LETTER_OF_BYTE[bytes[i] & 0xFF];
        }
        return new String(letters);
    }

    /**
     * The bytes that {@code spelling} stands for.
     *
     * @throws IllegalArgumentException naming the first character that is none of the alphabet
     */
    static byte[] bytes(String spelling) {
        byte[] bytes = new byte[spelling.length()];
        for (int i = 0; i < bytes.length; i++) {
            char letter = spelling.charAt(i);
            int b = letter < BYTE_OF_LETTER.length ? BYTE_OF_LETTER[letter] : -1;
            if (b < 0) {
                throw new IllegalArgumentException("token \"" + spelling + "\" contains "
                        + String.format("U+%04X", (int) letter)
                        + ", which spells no byte in GPT-2's byte alphabet. If it is a special token, list it among the"
                        + " special (added) tokens; otherwise the vocabulary is not a byte-level one.");
            }
            bytes[i] = (byte) b;
        }
        return bytes;
    }
}
