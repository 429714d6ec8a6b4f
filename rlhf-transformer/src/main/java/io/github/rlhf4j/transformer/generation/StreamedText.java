package io.github.rlhf4j.transformer.generation;

import io.github.rlhf4j.core.Tokenizer;
import java.util.List;

/** The text of one response as its tokens arrive, and the watch for stop strings in it, also across tokens. */
final class StreamedText {

    private final Tokenizer.StreamingDecoder decoder;
    private final List<String> stopStrings;

    /** Decoded, not handed out: it may be the beginning of a stop string. */
    private final StringBuilder held = new StringBuilder();

    private boolean stopped;

    StreamedText(Tokenizer.StreamingDecoder decoder, List<String> stopStrings) {
        this.decoder = decoder;
        this.stopStrings = stopStrings;
    }

    /** Takes a token; returns the text that is certain now. */
    String accept(int token) {
        held.append(decoder.accept(token));
        int stop = firstStop();
        stopped = stop >= 0;
        return release(stopped ? stop : held.length() - longestBeginning());
    }

    /** Whether a stop string has come; the text handed out ends before it. */
    boolean stopped() {
        return stopped;
    }

    /** Ends the response; returns what was held back and is no stop string after all. */
    String finish() {
        if (stopped) {
            return "";
        }
        held.append(decoder.finish());
        int stop = firstStop();
        return release(stop >= 0 ? stop : held.length());
    }

    private String release(int length) {
        String text = held.substring(0, length);
        held.delete(0, length);
        return text;
    }

    private int firstStop() {
        int first = -1;
        for (String stop : stopStrings) {
            int at = held.indexOf(stop);
            if (at >= 0 && (first < 0 || at < first)) {
                first = at;
            }
        }
        return first;
    }

    /** Length of the longest end of the held text that a stop string begins with. */
    private int longestBeginning() {
        int longest = 0;
        for (String stop : stopStrings) {
            for (int length = Math.min(stop.length() - 1, held.length()); length > longest; length--) {
                if (stop.regionMatches(0, held.substring(held.length() - length), 0, length)) {
                    longest = length;
                }
            }
        }
        return longest;
    }
}
