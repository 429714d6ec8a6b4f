package io.github.rlhf4j.transformer.chat;

import java.util.UUID;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * What stands for the messages' texts in a render that is to show where they go: an unguessable word between whitespace
 * that shows how the template trims. Newlines outside, another space within: stripping newlines and stripping all
 * whitespace leave different things.
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

    private final String word;

    ContentProbe() {
        // 122 bits from the system's secure source, not from a seed: nobody may guess it, and no result depends on it.
        this.word = UUID.randomUUID().toString().replace("-", "");
    }

    /** The text that stands for a message's. */
    String content(int message) {
        return NEWLINES + SPACE + word + "n" + message + "x" + SPACE + NEWLINES;
    }

    Pattern pattern() {
        return Pattern.compile("(" + NEWLINES + SPACE + "|" + SPACE + "|)" + word + "n(\\d+)x(" + SPACE + NEWLINES + "|"
                + SPACE + "|)");
    }

    int message(MatchResult found) {
        return Integer.parseInt(found.group(2));
    }

    Trimming trimming(MatchResult found) {
        return new Trimming(side(found.group(1)), side(found.group(3)));
    }

    private static Side side(String kept) {
        return kept.isEmpty() ? Side.WHITESPACE : kept.equals(SPACE) ? Side.NEWLINES : Side.NOTHING;
    }
}
