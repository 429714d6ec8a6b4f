package io.github.rlhf4j.transformer.chat;

import io.github.rlhf4j.core.Message;
import io.github.rlhf4j.core.Role;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;

/**
 * A rendered conversation of which it is known, character by character, what the template wrote and what a message
 * says. A text cannot tell: a user may type {@code <|im_end|>}. So the conversation is rendered twice, once as it is and
 * once with a {@link ContentProbe} in place of each message's text. The second shows where the
 * template puts the texts and how it trims them, and never saw them; put back, they must give the first.
 *
 * @param text the conversation as the template writes it
 * @param contents where messages stand in it, ascending; what lies between is the template's own
 */
record RenderedConversation(String text, List<Content> contents) {

    /**
     * The text of a message, characters {@code [start, end)}.
     *
     * @param message index of the message
     * @param trimming how the template trims it
     */
    record Content(int message, int start, int end, ContentProbe.Trimming trimming) {}

    RenderedConversation {
        contents = List.copyOf(contents);
    }

    /**
     * @throws IllegalArgumentException when the template refuses the conversation, or does more to a message than write
     *     it as it is or trimmed
     */
    static RenderedConversation of(ChatTemplate template, List<Message> messages, boolean generationPrompt) {
        String text = template.render(messages, generationPrompt);
        RenderedConversation attributed = attribute(template, messages, generationPrompt, false);
        if (attributed.text().equals(text)) {
            return attributed;
        }
        // Some templates leave out a blank message, which its probe, never blank, hides.
        RenderedConversation blanks = attribute(template, messages, generationPrompt, true);
        if (blanks.text().equals(text)) {
            return blanks;
        }
        throw new IllegalArgumentException("the chat template rewrites the text of a message: it writes "
                + excerpt(text, attributed.text()) + " where the messages say " + excerpt(attributed.text(), text)
                + ". Only templates that write a message as it is, or trimmed, can be told apart from what users type;"
                + " take out of the messages what the template acts on (for example </think>).");
    }

    private static RenderedConversation attribute(
            ChatTemplate template, List<Message> messages, boolean generationPrompt, boolean keepBlanks) {
        List<Message> probes = new ArrayList<>();
        for (Message message : messages) {
            boolean keep = keepBlanks && message.role() != Role.ASSISTANT && PythonText.isBlank(message.content());
            probes.add(keep ? message : new Message(message.role(), ContentProbe.content(probes.size())));
        }
        String probed = template.render(probes, generationPrompt);
        StringBuilder text = new StringBuilder();
        List<Content> contents = new ArrayList<>();
        Matcher found = ContentProbe.pattern().matcher(probed);
        int end = 0;
        while (found.find()) {
            text.append(probed, end, found.start());
            int message = ContentProbe.message(found);
            ContentProbe.Trimming trimming = ContentProbe.trimming(found);
            int start = text.length();
            text.append(trimming.of(messages.get(message).content()));
            contents.add(new Content(message, start, text.length(), trimming));
            end = found.end();
        }
        return new RenderedConversation(
                text.append(probed, end, probed.length()).toString(), contents);
    }

    /** The one place where a message's text stands. */
    Content content(int message) {
        List<Content> places =
                contents.stream().filter(c -> c.message() == message).toList();
        if (places.size() != 1) {
            throw new IllegalArgumentException(
                    "the chat template writes message " + message + " (from 0), the assistant's, " + places.size()
                            + " times; a turn to learn from must stand there once");
        }
        return places.get(0);
    }

    private static String excerpt(String text, String other) {
        int from = 0;
        while (from < Math.min(text.length(), other.length()) && text.charAt(from) == other.charAt(from)) {
            from++;
        }
        return "\"" + text.substring(Math.max(0, from - 10), Math.min(text.length(), from + 30)) + "\"";
    }
}
