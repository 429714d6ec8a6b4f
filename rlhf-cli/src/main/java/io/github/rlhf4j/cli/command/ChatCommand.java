package io.github.rlhf4j.cli.command;

import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.ConversationWindow;
import io.github.rlhf4j.core.Message;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.TransformerPolicy;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** A conversation: streams the answers, and keeps as many of the last turns as the model's window holds. */
@Command(name = "chat", mixinStandardHelpOptions = true, description = "Talk with a model; an empty line ends it.")
final class ChatCommand implements Callable<Integer> {

    @Mixin
    ModelOptions options = new ModelOptions();

    @Spec
    @Nullable
    CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        PrintWriter out = Rlhf.out(spec);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (TransformerPolicy policy = options.open()) {
            ChatFormat format = ModelOptions.format(policy.tokenizer());
            ConversationWindow window = window(policy, format);
            Conversation conversation = null;
            for (long turn = 0; ; turn++) {
                out.print("you: ");
                out.flush();
                String line = in.readLine();
                if (line == null || line.isBlank()) {
                    return 0;
                }
                conversation = conversation == null ? Conversation.of(line) : conversation.with(Message.user(line));
                conversation = answer(policy, format, window, conversation, turn, out);
            }
        }
    }

    private ConversationWindow window(TransformerPolicy policy, ChatFormat format) {
        try {
            return new ConversationWindow(
                    format, policy.contextLength(), Math.min(options.maxTokens, policy.contextLength() / 2));
        } catch (IllegalArgumentException e) {
            throw new InputException(String.valueOf(e.getMessage()), e);
        }
    }

    /** The turns that fit the window, and the answer to the last. */
    private Conversation answer(
            TransformerPolicy policy,
            ChatFormat format,
            ConversationWindow window,
            Conversation conversation,
            long turn,
            PrintWriter out) {
        Conversation shown;
        try {
            shown = window.fit(conversation);
        } catch (IllegalArgumentException e) {
            throw new InputException(String.valueOf(e.getMessage()), e);
        }
        out.print("model: ");
        Completion completion = policy.complete(
                        List.of(format.prompt(shown)),
                        options.sampling(format),
                        RandomKey.of(options.seed).child(turn).bits(),
                        (sequence, token, text) -> {
                            out.print(text);
                            out.flush();
                        })
                .get(0);
        out.println();
        return shown.with(Message.assistant(policy.tokenizer().decode(completion.response())));
    }
}
