package io.github.rlhf4j.transformer.chat;

import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.PlainChatFormat;
import io.github.rlhf4j.core.RoleChatFormat;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.transformer.files.ModelSource;
import io.github.rlhf4j.transformer.tokenizer.FramedTokenizer;
import io.github.rlhf4j.transformer.tokenizer.TextFrame;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;

/**
 * How a model converses, by its files: the chat template they hold. A model without one gets a template by its tokenizer: the
 * turns of {@link RoleChatFormat} where it has their tokens; else a text that goes on, for a model that was only pretrained.
 */
public final class ChatFormats {

    /** {@link RoleChatFormat} as a template, for programs that converse by one. */
    private static final String ROLES = "{%- for message in messages -%}"
            + "{{- '<|' + message['role'] + '|>' + message['content'] -}}"
            + "{%- if message['role'] == 'assistant' -%}{{- '" + RoleChatFormat.END + "' -}}{%- endif -%}"
            + "{%- endfor -%}"
            + "{%- if add_generation_prompt -%}{{- '" + RoleChatFormat.ASSISTANT + "' -}}{%- endif -%}";

    private ChatFormats() {}

    /**
     * The format of a model.
     *
     * @param files the model's
     * @param tokenizer the one they hold
     * @throws IOException when the files cannot be read
     * @throws IllegalArgumentException when the model was not taught to converse: there is no template, and the tokenizer lacks
     *     the special tokens of {@link RoleChatFormat}; or when its template cannot be used, naming why
     */
    public static ChatFormat of(ModelSource files, Tokenizer tokenizer) throws IOException {
        Optional<String> template = files.chatTemplate();
        return template.isPresent() ? of(template.get(), tokenizer) : new RoleChatFormat(tokenizer);
    }

    /**
     * The format that a template writes; the tokens {@code bos_token} and {@code eos_token} are the tokenizer's.
     *
     * @param template a Jinja program
     * @throws IllegalArgumentException when the template cannot be used with this tokenizer, naming why
     */
    public static ChatFormat of(String template, Tokenizer tokenizer) {
        if (template.equals(ROLES)) {
            return new RoleChatFormat(tokenizer); // the same tokens, without a template engine
        }
        return new TemplateChatFormat(
                ChatTemplate.of(template, text(tokenizer, TextFrame::beginning), text(tokenizer, TextFrame::end)),
                tokenizer);
    }

    /**
     * The template of a model, or one to teach it where it has none.
     *
     * @param files the model's
     * @param tokenizer the one they hold
     * @throws IllegalArgumentException when the tokenizer has no special token that could end a text
     */
    public static String templateFor(ModelSource files, Tokenizer tokenizer) throws IOException {
        Optional<String> own = files.chatTemplate();
        return own.isPresent() ? own.get() : templateFor(tokenizer);
    }

    /**
     * A template that this tokenizer has the tokens for: turns of {@link RoleChatFormat}, or texts that go on as in
     * {@link PlainChatFormat}, after the tokenizer's beginning of a text if its model expects one, and ended by its end.
     *
     * @throws IllegalArgumentException when the tokenizer has no special token that could end a text
     */
    public static String templateFor(Tokenizer tokenizer) {
        if (tokenizer.specialTokens().keySet().containsAll(RoleChatFormat.specialTokens())) {
            return ROLES;
        }
        boolean begins =
                tokenizer instanceof FramedTokenizer framed && framed.frame().addsBeginning();
        return (begins ? "{{- " + quoted(text(tokenizer, TextFrame::beginning)) + " -}}" : "")
                + "{%- for message in messages -%}{{- message['content'] -}}"
                + "{%- if message['role'] == 'assistant' -%}{{- " + quoted(end(tokenizer)) + " -}}{%- endif -%}"
                + "{%- endfor -%}";
    }

    private static String quoted(String token) {
        return "'" + token.replace("\\", "\\\\").replace("'", "\\'") + "'";
    }

    /** What can end a text: the tokenizer's own end, GPT-2's, or what begins the next one. */
    private static String end(Tokenizer tokenizer) {
        String end = text(tokenizer, TextFrame::end);
        if (!end.isEmpty()) {
            return end;
        }
        if (tokenizer.specialTokens().containsKey(PlainChatFormat.END_OF_TEXT)) {
            return PlainChatFormat.END_OF_TEXT;
        }
        String beginning = text(tokenizer, TextFrame::beginning);
        if (beginning.isEmpty()) {
            throw new IllegalArgumentException("the tokenizer has no special token that could end an answer; it has "
                    + tokenizer.specialTokens().keySet() + ". Give it " + PlainChatFormat.END_OF_TEXT
                    + " as an added token, or the model a chat template");
        }
        return beginning;
    }

    /** The text of a token at an end of texts; nothing where the tokenizer knows none. */
    private static String text(Tokenizer tokenizer, Function<TextFrame, OptionalInt> end) {
        if (!(tokenizer instanceof FramedTokenizer framed)) {
            return "";
        }
        OptionalInt id = end.apply(framed.frame());
        return tokenizer.specialTokens().entrySet().stream()
                .filter(token -> id.isPresent() && token.getValue() == id.getAsInt())
                .map(Map.Entry::getKey)
                .findFirst()
                .orElse("");
    }
}
