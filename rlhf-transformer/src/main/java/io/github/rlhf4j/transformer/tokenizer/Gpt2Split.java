package io.github.rlhf4j.transformer.tokenizer;

/**
 * {@link Split#GPT2} by hand: the same pieces as the regular expression, which stays the reference that the tests compare
 * with, several times faster. Splitting is what most of the time of training and encoding goes into.
 */
final class Gpt2Split {

    private Gpt2Split() {}

    static void forEachPiece(String text, int from, int to, Split.Action action) {
        for (int start = from; start < to; ) {
            int end = endOfPiece(text, start, to);
            action.piece(start, end);
            start = end;
        }
    }

    private static int endOfPiece(String text, int start, int limit) {
        int contraction = text.charAt(start) == '\'' ? lengthOfContraction(text, start + 1, limit) : 0;
        if (contraction > 0) {
            return start + 1 + contraction;
        }
        int first = start;
        if (text.charAt(start) == ' ' && start + 1 < limit) {
            first++; // a word, a number or marks may take one space along
        }
        int kind = CharacterKind.of(text.codePointAt(first));
        return kind == CharacterKind.SPACE
                ? endOfSpaces(text, start, limit)
                : CharacterKind.endOfRun(text, first, limit, kind);
    }

    /** The length of s, d, m, t, ll, ve or re at {@code at}, or 0. */
    private static int lengthOfContraction(String text, int at, int limit) {
        if (at >= limit) {
            return 0;
        }
        char second = at + 1 < limit ? text.charAt(at + 1) : 0;
        return switch (text.charAt(at)) {
            case 's', 'd', 'm', 't' -> 1;
            case 'l' -> second == 'l' ? 2 : 0;
            case 'v', 'r' -> second == 'e' ? 2 : 0;
            default -> 0;
        };
    }

    /** White space before something else leaves its last character to what follows, if it has more than one. */
    static int endOfSpaces(String text, int start, int limit) {
        int end = CharacterKind.endOfRun(text, start, limit, CharacterKind.SPACE);
        return end == limit || end == start + 1 ? end : end - 1;
    }
}
