package io.github.rlhf4j.transformer.chat;

import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Message;
import java.io.IOException;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A model's own {@code chat_template}: the Jinja program, published with the model, that writes a conversation as the
 * text the model was trained on. Rendered by Jinjava, in a sandbox, as {@code transformers} renders it
 * ({@code apply_chat_template}); a template that cannot be rendered so is refused, not rendered differently.
 *
 * <p>Immutable; safe for use from many threads. {@link TemplateChatFormat} makes tokens of it.
 */
public final class ChatTemplate {

    private final String translated;
    private final String bosToken;
    private final String eosToken;
    private final @Nullable LocalDateTime now;

    private ChatTemplate(String translated, String bosToken, String eosToken, @Nullable LocalDateTime now) {
        this.translated = translated;
        this.bosToken = bosToken;
        this.eosToken = eosToken;
        this.now = now;
    }

    /**
     * A template given as text, for example {@code tokenizer.chat_template} of a GGUF file.
     *
     * @param source the Jinja program
     * @param bosToken what the template knows as {@code bos_token}; empty where the tokenizer has none
     * @param eosToken what the template knows as {@code eos_token}; empty where the tokenizer has none
     * @throws IllegalArgumentException naming the construct, when the template uses one that is not supported
     */
    public static ChatTemplate of(String source, String bosToken, String eosToken) {
        String lines = source.replace("\r\n", "\n").replace('\r', '\n');
        String program = lines.endsWith("\n") ? lines.substring(0, lines.length() - 1) : lines;
        try {
            return new ChatTemplate(TemplateDialect.translate(program), bosToken, eosToken, null);
        } catch (TemplateRefusedException e) {
            throw refusal(e);
        }
    }

    /**
     * The template of a model directory: {@code chat_template.jinja} where it is, else the {@code chat_template} of
     * {@code tokenizer_config.json} (of several, the one named {@code default}); the texts of the tokens from
     * {@code tokenizer_config.json}.
     *
     * @throws IOException when there is no template or a file cannot be read, naming the file
     * @throws IllegalArgumentException naming the construct, when the template uses one that is not supported
     */
    public static ChatTemplate read(Path modelDirectory) throws IOException {
        return read(modelDirectory, ChatTemplateFiles.DEFAULT);
    }

    /**
     * One of the named templates of a model directory, for example {@code "rag"}.
     *
     * @see #read(Path)
     */
    public static ChatTemplate read(Path modelDirectory, String name) throws IOException {
        return ChatTemplateFiles.read(modelDirectory, name);
    }

    /**
     * The same template on a date: what {@code strftime_now} of some templates (Llama 3.1) formats. Without one that
     * function is undefined, and such templates print a date of their own or are refused.
     */
    public ChatTemplate at(LocalDateTime now) {
        return new ChatTemplate(translated, bosToken, eosToken, now);
    }

    /**
     * The conversation as the template writes it. Only for people to read: in the text nobody can tell the template's
     * special tokens from those a user typed, which {@link TemplateChatFormat} can.
     *
     * @param generationPrompt whether the text ends with what makes it the assistant's turn
     * @throws IllegalArgumentException when the template refuses the conversation, fails, or exceeds a bound
     */
    public String render(Conversation conversation, boolean generationPrompt) {
        return render(conversation.messages(), generationPrompt);
    }

    String render(List<Message> messages, boolean generationPrompt) {
        List<Map<String, Object>> turns = new ArrayList<>();
        for (Message message : messages) {
            Map<String, Object> turn = new HashMap<>();
            turn.put("role", message.role().label());
            turn.put("content", message.content());
            turns.add(turn);
        }
        Map<String, Object> bindings = new HashMap<>();
        bindings.put("messages", turns);
        bindings.put("bos_token", bosToken);
        bindings.put("eos_token", eosToken);
        bindings.put("add_generation_prompt", generationPrompt);
        if (now != null) {
            bindings.put("strftime_now", "function");
            bindings.put(TemplateFunctions.NOW, now);
        }
        try {
            return TemplateEngine.render(translated, bindings);
        } catch (TemplateRefusedException e) {
            throw refusal(e);
        }
    }

    private static IllegalArgumentException refusal(TemplateRefusedException e) {
        return new IllegalArgumentException("the chat template " + e.getMessage(), e);
    }
}
