package io.github.rlhf4j.transformer.tokenizer;

import java.util.Arrays;

/**
 * The bytes of any Java string and back: UTF-8, with an unpaired surrogate as the three bytes its code point would have.
 *
 * <p>Plain UTF-8 has no form for half of a surrogate pair, and Java's own encoder writes {@code ?} in its place, which
 * loses text. The generalised form (WTF-8) is the same as UTF-8 on every well-formed string.
 *
 * @see <a href="https://simonsapin.github.io/wtf-8/">The WTF-8 encoding</a>
 */
final class Wtf8 {

    static final char REPLACEMENT = '\uFFFD';

    private Wtf8() {}

    /** The bytes of {@code text}; equal to UTF-8 where the text is well-formed. */
    static byte[] encode(String text) {
        byte[] out = new byte[3 * text.length()];
        int n = 0;
        for (int i = 0; i < text.length(); i++) {
            int c = text.charAt(i);
            if (c < 0x80) {
                out[n++] = (byte) c;
                continue;
            }
            if (c < 0x800) {
                out[n++] = (byte) (0xC0 | c >> 6);
            } else {
                int codePoint = text.codePointAt(i);
                if (codePoint >= 0x10000) {
                    i++;
                    c = codePoint;
                    out[n++] = (byte) (0xF0 | c >> 18);
                    out[n++] = (byte) (0x80 | c >> 12 & 0x3F);
                } else {
                    out[n++] = (byte) (0xE0 | c >> 12);
                }
                out[n++] = (byte) (0x80 | c >> 6 & 0x3F);
            }
            out[n++] = (byte) (0x80 | c & 0x3F);
        }
        return n == out.length ? out : Arrays.copyOf(out, n);
    }

    /**
     * Turns bytes into text as they arrive; one per stream.
     *
     * <p>Bytes that can be no part of a character become U+FFFD, one for each maximal run that a character could have
     * begun with (what Java, Python and browsers do). A high surrogate waits for what follows, so that two encoded halves
     * of a pair, which no single string encodes to but a model may well sample, come out as one character at once.
     */
    static final class Decoder {

        private int codePoint;
        private int missing;
        private int lower = 0x80;
        private int upper = 0xBF;
        private char highSurrogate;

        /** Appends to {@code out} whatever is complete after these bytes. */
        void accept(byte[] bytes, StringBuilder out) {
            accept(bytes, 0, out);
        }

        /** The same with the bytes from {@code start} on. */
        void accept(byte[] bytes, int start, StringBuilder out) {
            for (int i = start; i < bytes.length; i++) {
                accept(bytes[i] & 0xFF, out);
            }
        }

        /** Ends the stream: an incomplete character becomes U+FFFD. The decoder is then as new. */
        void finish(StringBuilder out) {
            if (missing > 0) {
                reset();
                emit(REPLACEMENT, out);
            }
            releaseHighSurrogate(out);
        }

        private void accept(int b, StringBuilder out) {
            if (missing == 0) {
                begin(b, out);
            } else if (b < lower || b > upper) {
                reset();
                emit(REPLACEMENT, out);
                begin(b, out);
            } else {
                codePoint = codePoint << 6 | b & 0x3F;
                lower = 0x80;
                upper = 0xBF;
                if (--missing == 0) {
                    emit(codePoint, out);
                }
            }
        }

        private void begin(int b, StringBuilder out) {
            if (b < 0x80) {
                emit(b, out);
            } else if (b >= 0xC2 && b <= 0xDF) {
                expect(1, b & 0x1F);
            } else if (b >= 0xE0 && b <= 0xEF) {
                expect(2, b & 0x0F);
                lower = b == 0xE0 ? 0xA0 : 0x80; // shorter forms exist for what lies below
            } else if (b >= 0xF0 && b <= 0xF4) {
                expect(3, b & 0x07);
                lower = b == 0xF0 ? 0x90 : 0x80;
                upper = b == 0xF4 ? 0x8F : 0xBF; // Unicode ends at U+10FFFF
            } else {
                emit(REPLACEMENT, out);
            }
        }

        private void expect(int bytes, int leadingBits) {
            missing = bytes;
            codePoint = leadingBits;
        }

        private void reset() {
            missing = 0;
            lower = 0x80;
            upper = 0xBF;
        }

        private void emit(int character, StringBuilder out) {
            releaseHighSurrogate(out);
            if (character >= Character.MIN_HIGH_SURROGATE && character <= Character.MAX_HIGH_SURROGATE) {
                highSurrogate = (char) character;
            } else {
                out.appendCodePoint(character);
            }
        }

        private void releaseHighSurrogate(StringBuilder out) {
            if (highSurrogate != 0) {
                out.append(highSurrogate);
                highSurrogate = 0;
            }
        }
    }
}
