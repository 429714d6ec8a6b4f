package io.github.rlhf4j.transformer.tokenizer;

/**
 * {@link Split#LLAMA3} and {@link Split#QWEN2} by hand: the same pieces as the regular expressions, which stay the
 * reference that the tests compare with. (GPT-4's {@code cl100k_base} cuts alike.)
 *
 * @param mostDigits how many digits make a piece at most
 */
record TiktokenSplit(int mostDigits) implements Split {

    private static final char LONG_S = '\u017f'; // an s to whoever ignores case

    @Override
    public void forEachPiece(String text, int from, int to, Action action) {
        for (int start = from; start < to; ) {
            int end = endOfPiece(text, start, to);
            action.piece(start, end);
            start = end;
        }
    }

    /** The alternatives of the expression in their order. */
    private int endOfPiece(String text, int start, int limit) {
        int character = text.codePointAt(start);
        int contraction = character == '\'' ? lengthOfContraction(text, start + 1, limit) : 0;
        if (contraction > 0) {
            return start + 1 + contraction;
        }
        int kind = CharacterKind.of(character);
        if (kind == CharacterKind.LETTER) {
            return CharacterKind.endOfRun(text, start, limit, kind);
        }
        if (kind == CharacterKind.NUMBER) {
            return endOfNumber(text, start, limit);
        }
        int next = start + Character.charCount(character);
        int kindOfNext = next < limit ? CharacterKind.of(text.codePointAt(next)) : CharacterKind.SPACE;
        if (kindOfNext == CharacterKind.LETTER && !isLineBreak(character)) {
            return CharacterKind.endOfRun(text, next, limit, CharacterKind.LETTER);
        }
        if (kind == CharacterKind.OTHER || character == ' ' && kindOfNext == CharacterKind.OTHER) {
            return endOfLineBreaks(text, CharacterKind.endOfRun(text, next, limit, CharacterKind.OTHER), limit);
        }
        return endOfSpaces(text, start, limit);
    }

    /** The length of s, t, re, ve, m, ll or d at {@code at} in either case, or 0. */
    private static int lengthOfContraction(String text, int at, int limit) {
        if (at >= limit) {
            return 0;
        }
        int second = at + 1 < limit ? lowerCase(text.charAt(at + 1)) : 0;
        return switch (lowerCase(text.charAt(at))) {
            case 's', 't', 'm', 'd', LONG_S -> 1;
            case 'l' -> second == 'l' ? 2 : 0;
            case 'v', 'r' -> second == 'e' ? 2 : 0;
            default -> 0;
        };
    }

    private static int lowerCase(char c) {
        return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
    }

    private int endOfNumber(String text, int start, int limit) {
        int end = start;
        for (int digits = 0; digits < mostDigits && end < limit; digits++) {
            int character = text.codePointAt(end);
            if (CharacterKind.of(character) != CharacterKind.NUMBER) {
                break;
            }
            end += Character.charCount(character);
        }
        return end;
    }

    private static int endOfLineBreaks(String text, int start, int limit) {
        int end = start;
        while (end < limit && isLineBreak(text.charAt(end))) {
            end++;
        }
        return end;
    }

    /** White space ends with its last line break, if it has one; otherwise as in GPT-2. */
    private static int endOfSpaces(String text, int start, int limit) {
        int end = CharacterKind.endOfRun(text, start, limit, CharacterKind.SPACE);
        for (int last = end; last > start; last--) {
            if (isLineBreak(text.charAt(last - 1))) {
                return last;
            }
        }
        return Gpt2Split.endOfSpaces(text, start, limit);
    }

    private static boolean isLineBreak(int character) {
        return character == '\n' || character == '\r';
    }
}
