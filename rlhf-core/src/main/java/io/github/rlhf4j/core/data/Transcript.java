package io.github.rlhf4j.core.data;

import io.github.rlhf4j.core.Message;
import io.github.rlhf4j.core.Role;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A dialogue in one text, as Anthropic's helpful-and-harmless files have it: {@code "\n\nHuman: …\n\nAssistant: …"}.
 *
 * @param turns each mark with the text after it, stripped
 * @param starts index in {@code text} of the first character after each turn's mark
 */
record Transcript(String text, List<Message> turns, List<Integer> starts) {

    private static final Pattern MARK = Pattern.compile("(?:\\A\\s*|\\n\\n)(Human|Assistant):");
    private static final Pattern PROMPT = Pattern.compile("\\A\\s*Human:.*\\n\\nAssistant:\\s*\\z", Pattern.DOTALL);

    /** Splits a text at its marks; no turns when it does not begin with one. */
    static Transcript parse(String text) {
        List<Message> turns = new ArrayList<>();
        List<Integer> starts = new ArrayList<>();
        Matcher mark = MARK.matcher(text);
        boolean found = mark.lookingAt();
        while (found) {
            boolean human = mark.group(1).equals("Human");
            int start = mark.end();
            found = mark.find();
            String turn =
                    text.substring(start, found ? mark.start() : text.length()).strip();
            turns.add(human ? Message.user(turn) : Message.assistant(turn));
            starts.add(start);
        }
        return new Transcript(text, turns, starts);
    }

    /** Whether a text is a transcript that waits for the assistant. */
    static boolean looksLikePrompt(String text) {
        return PROMPT.matcher(text).matches();
    }

    /** The turns of a transcript that waits for the assistant. */
    static List<Message> parsePrompt(String text) {
        List<Message> turns = parse(text).turns();
        return turns.subList(0, turns.size() - 1);
    }

    /** Everything from turn {@code i} on, without its mark: mostly one turn. */
    String from(int i) {
        return text.substring(starts.get(i)).strip();
    }

    /** The largest number of leading turns that both have, which end with a user's and leave an assistant's to each. */
    int sharedPrompt(Transcript other) {
        int shared = 0;
        int limit = Math.min(turns.size(), other.turns.size()) - 1;
        int prompt = 0;
        while (shared < limit && turns.get(shared).equals(other.turns.get(shared))) {
            shared++;
            if (isPrompt(shared) && other.isPrompt(shared)) {
                prompt = shared;
            }
        }
        return prompt;
    }

    private boolean isPrompt(int length) {
        return turns.get(length - 1).role() == Role.USER && turns.get(length).role() == Role.ASSISTANT;
    }
}
