package io.github.rlhf4j.transformer.chat;

import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * What stands for the messages' texts in a render that is to show where they go: a word between whitespace
 * that shows how the template trims. Newlines outside, another space within: stripping newlines and stripping all
 * whitespace leave different things.
 *
 * <p>The word is no secret: a user may type it, for it is looked for only in renders that no user's text is in.
 */
final class ContentProbe {

    /** How a template trims a text, side by side. */
    record Trimming(Side left, Side right) {

        String of(String content) {
            return right.ofRight(left.ofLeft(content));
        }
    }

    /** What is taken off one side of a text. */
    enum Side {
        NOTHING,
        NEWLINES,
        WHITESPACE;

        private String ofLeft(String text) {
            return switch (this) {
                case NOTHING -> text;
                case NEWLINES -> PythonText.stripLeft(text, "\n");
                case WHITESPACE -> PythonText.stripLeft(text);
            };
        }

        private String ofRight(String text) {
            return switch (this) {
                case NOTHING -> text;
                case NEWLINES -> PythonText.stripRight(text, "\n");
                case WHITESPACE -> PythonText.stripRight(text);
            };
        }
    }

    private static final String NEWLINES = "\n".repeat(7);
    private static final String SPACE = "\u2003";
    private static final String WORD = "rlhf4jprobe";

    private ContentProbe() {}

    /** The text that stands for a message's. */
    static String content(int message) {
        return NEWLINES + SPACE + WORD + "n" + message + "x" + SPACE + NEWLINES;
    }

    static Pattern pattern() {
        return Pattern.compile("(" + NEWLINES + SPACE + "|" + SPACE + "|)" + WORD + "n(\\d+)x(" + SPACE + NEWLINES + "|"
                + SPACE + "|)");
    }

    static int message(MatchResult found) {
        return Integer.parseInt(found.group(2));
    }

    static Trimming trimming(MatchResult found) {
        return new Trimming(side(found.group(1)), side(found.group(3)));
    }

    private static Side side(String kept) {
        return kept.isEmpty() ? Side.WHITESPACE : kept.equals(SPACE) ? Side.NEWLINES : Side.NOTHING;
    }
}
