package io.github.rlhf4j.transformer.chat;

import com.google.common.collect.ImmutableSet;
import com.google.common.primitives.ImmutableIntArray;
import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Demonstration;
import io.github.rlhf4j.core.Message;
import io.github.rlhf4j.core.Role;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.transformer.chat.SpecialTexts.Special;
import java.util.List;
import java.util.Set;

/**
 * A chat format that follows a model's own {@link ChatTemplate}: the tokens are those that {@code transformers} makes of
 * the same conversation, as long as no message spells a special token. What {@code transformers} would make a special
 * token of then stays the characters it is spelled with: only what the template itself writes is ever a special token
 * ({@link RenderedConversation}).
 *
 * <p>An assistant's turn is what follows the generation prompt, through the first special token after the text; that
 * much is scored. A response begins with a token of its own, so that {@link #prompt} and {@link #response} put together
 * are the {@link #demonstration}; where a template ends its generation prompt with ordinary text, tokens are cut there.
 *
 * <p>Immutable; safe for use from many threads if the tokenizer is.
 */
public final class TemplateChatFormat implements ChatFormat {

    private static final Message QUESTION = Message.user("question");

    private final ChatTemplate template;
    private final SpecialTexts specialTexts;
    private final String lead;
    private final String end;
    private final ImmutableSet<Integer> stopTokens;

    /**
     * A format whose responses stop at the token that ends the template's assistant turns.
     *
     * @see #TemplateChatFormat(ChatTemplate, Tokenizer, Set)
     */
    public TemplateChatFormat(ChatTemplate template, Tokenizer tokenizer) {
        this(template, tokenizer, Set.of());
    }

    /**
     * @param moreStopTokens ids at which a response also stops, for example {@code eos_token_id} of
     *     {@code generation_config.json}
     * @throws IllegalArgumentException when assistant turns of the template do not end with a special token of the
     *     tokenizer, or do not begin with its generation prompt
     */
    public TemplateChatFormat(ChatTemplate template, Tokenizer tokenizer, Set<Integer> moreStopTokens) {
        this.template = template;
        this.specialTexts = new SpecialTexts(tokenizer);
        List<Message> example = List.of(QUESTION, Message.assistant("answer"));
        RenderedConversation rendered = RenderedConversation.of(template, example, false);
        RenderedConversation.Content answer = rendered.content(1);
        Special stop = stopAfter(answer.end(), specialTexts.in(rendered));
        this.lead = rendered.text().substring(promptLength(rendered, example), answer.start());
        this.end = rendered.text().substring(answer.end(), stop.end());
        this.stopTokens = ImmutableSet.<Integer>builder()
                .add(stop.token())
                .addAll(moreStopTokens)
                .build();
    }

    /**
     * The conversation with the template's generation prompt.
     *
     * @throws IllegalArgumentException when the conversation ends with the assistant's turn, or the template refuses it
     */
    @Override
    public TokenSequence prompt(Conversation conversation) {
        if (conversation.last().role() == Role.ASSISTANT) {
            throw new IllegalArgumentException(
                    "a prompt must end with a user (or system) message, this conversation of "
                            + conversation.messages().size()
                            + " messages ends with an assistant message. Take that one off, or"
                            + " use it as a demonstration.");
        }
        RenderedConversation rendered = RenderedConversation.of(template, conversation.messages(), true);
        return specialTexts.encode(
                rendered.text(), specialTexts.in(rendered), 0, rendered.text().length());
    }

    @Override
    public TokenSequence response(String text) {
        List<Message> messages = List.of(QUESTION, Message.assistant(text));
        RenderedConversation rendered = RenderedConversation.of(template, messages, false);
        List<Special> specials = specialTexts.in(rendered);
        RenderedConversation.Content content = rendered.content(1);
        return specialTexts.encode(
                rendered.text(),
                specials,
                start(rendered, content),
                stopAfter(content.end(), specials).end());
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalArgumentException when the template refuses the conversation, or writes one assistant turn
     *     differently from another, so that what is learnt would not be what is generated
     */
    @Override
    public ScoredSequence demonstration(Demonstration demonstration) {
        List<Message> messages = demonstration.conversation().messages();
        RenderedConversation rendered = RenderedConversation.of(template, messages, false);
        List<Special> specials = specialTexts.in(rendered);
        if (messages.size() > 1) {
            promptLength(rendered, messages);
        }
        TokenSequence tokens = TokenSequence.of();
        ImmutableIntArray.Builder scored = ImmutableIntArray.builder();
        int at = 0;
        for (int i = 0; i < messages.size(); i++) {
            if (messages.get(i).role() == Role.ASSISTANT) {
                RenderedConversation.Content content = rendered.content(i);
                int start = start(rendered, content);
                tokens = tokens.concat(specialTexts.encode(rendered.text(), specials, at, start));
                at = stopAfter(content.end(), specials).end();
                TokenSequence response = specialTexts.encode(rendered.text(), specials, start, at);
                for (int j = 0; j < response.length(); j++) {
                    scored.add(tokens.length() + j);
                }
                tokens = tokens.concat(response);
            }
        }
        tokens = tokens.concat(specialTexts.encode(
                rendered.text(), specials, at, rendered.text().length()));
        return ScoredSequence.of(tokens, scored.build().toArray());
    }

    @Override
    public Set<Integer> stopTokens() {
        return stopTokens;
    }

    /** Where a turn's scored text starts: at the text the template writes between generation prompt and message. */
    private int start(RenderedConversation rendered, RenderedConversation.Content content) {
        int start = content.start() - lead.length();
        if (start < 0
                || !rendered.text().startsWith(lead, start)
                || !rendered.text().startsWith(end, content.end())) {
            throw new IllegalArgumentException("the chat template writes the assistant's turn of message "
                    + content.message()
                    + " (from 0) otherwise than the turn that answers a first question, which begins"
                    + " with \"" + lead + "\" and ends with \"" + end
                    + "\"; train on the conversation's last turn alone");
        }
        return start;
    }

    private static Special stopAfter(int position, List<Special> specials) {
        return specials.stream()
                .filter(special -> special.start() >= position)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("the chat template writes no special token after the"
                        + " assistant's text, so a model could not learn to end its turn. Is this the tokenizer of the"
                        + " template's model, and are the texts of bos_token and eos_token given?"));
    }

    /** Length of the prompt that the last message answers, which the whole must begin with. */
    private int promptLength(RenderedConversation whole, List<Message> messages) {
        List<Message> before = messages.subList(0, messages.size() - 1);
        String prompt = template.render(before, true);
        int answer = whole.content(messages.size() - 1).start();
        if (!whole.text().startsWith(prompt) || prompt.length() > answer) {
            throw new IllegalArgumentException("the chat template's generation prompt, \"..."
                    + prompt.substring(Math.max(0, prompt.length() - 40))
                    + "\", is not how its assistant turns begin, so a model would answer what it never learnt to");
        }
        return prompt.length();
    }
}
