package io.github.rlhf4j.transformer.generation;

import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.ConversationWindow;
import io.github.rlhf4j.core.Message;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.random.RandomKey;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A conversation with a model. What no longer fits the model's window is forgotten from its oldest exchanges on; the system
 * message is kept. For one thread.
 */
public final class ChatSession {

    private final Generator generator;
    private final ChatFormat format;
    private final ConversationWindow window;
    private final Sampling sampling;
    private final RandomKey key;
    private final List<Message> opening;
    private final List<Message> messages;

    /** Replies so far, forgotten ones included: what the randomness of the next is keyed by. */
    private long turn;

    /**
     * A conversation that begins.
     *
     * @param contextLength the model's window, prompt and response together
     * @param sampling its {@code maxNewTokens} is the room that is kept for a reply; the format's stop tokens are added to
     *     its own
     * @param opening messages that stand before the first turn, a system message usually; possibly none
     * @throws IllegalArgumentException when the window has no room for anything but the reply
     */
    public ChatSession(
            Generator generator,
            ChatFormat format,
            int contextLength,
            Sampling sampling,
            long seed,
            List<Message> opening) {
        this.generator = generator;
        this.format = format;
        this.window = new ConversationWindow(format, contextLength, sampling.maxNewTokens());
        this.sampling = withStopTokens(sampling, format);
        this.key = RandomKey.of(seed).child("chat");
        this.opening = List.copyOf(opening);
        this.messages = new ArrayList<>(opening);
    }

    private static Sampling withStopTokens(Sampling sampling, ChatFormat format) {
        Set<Integer> stops = new HashSet<>(sampling.stopTokens());
        stops.addAll(format.stopTokens());
        return new Sampling(
                sampling.maxNewTokens(),
                sampling.temperature(),
                sampling.topK(),
                sampling.topP(),
                sampling.repetitionPenalty(),
                stops,
                sampling.stopStrings());
    }

    /**
     * Says something to the model and streams what it replies.
     *
     * @param text what the user says
     * @param onText told of the reply's text as it becomes certain, never half a character
     * @return the whole reply: what {@code onText} was told, put together
     * @throws IllegalArgumentException when the message alone does not fit the window; the conversation is then as before
     */
    public String say(String text, Consumer<String> onText) {
        Conversation conversation = window.fit(withUserMessage(text));
        TokenSequence prompt = format.prompt(conversation);
        StringBuilder reply = new StringBuilder();
        TokenListener listener = (sequence, token, newText) -> {
            reply.append(newText);
            if (!newText.isEmpty()) {
                onText.accept(newText);
            }
        };
        generator.complete(List.of(prompt), sampling, key.child(turn).bits(), listener);
        turn++;
        messages.clear();
        messages.addAll(conversation.messages());
        messages.add(Message.assistant(reply.toString()));
        return reply.toString();
    }

    private Conversation withUserMessage(String text) {
        List<Message> more = new ArrayList<>(messages);
        more.add(Message.user(text));
        return new Conversation(more);
    }

    /** The messages the model still remembers, oldest first. */
    public List<Message> messages() {
        return List.copyOf(messages);
    }

    /** Forgets everything but the opening. */
    public void clear() {
        messages.clear();
        messages.addAll(opening);
    }
}
