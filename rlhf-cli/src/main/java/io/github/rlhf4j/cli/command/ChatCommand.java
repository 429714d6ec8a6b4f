package io.github.rlhf4j.cli.command;

import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.generation.ChatSession;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
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
            ChatSession session = session(policy);
            while (true) {
                out.print("you: ");
                out.flush();
                String line = in.readLine();
                if (line == null || line.isBlank()) {
                    return 0;
                }
                answer(session, line, out);
            }
        }
    }

    /** At least half of the window is kept for the conversation. */
    private ChatSession session(TransformerPolicy policy) throws IOException {
        options.maxTokens = Math.min(options.maxTokens, policy.contextLength() / 2);
        ChatFormat format = options.format(policy.tokenizer());
        return policy.chat(format, options.sampling(format), options.seed, options.weights());
    }

    /** What is too long for the window is said so, and the conversation goes on. */
    private static void answer(ChatSession session, String line, PrintWriter out) {
        try {
            out.print("model: ");
            session.say(line, text -> {
                out.print(text);
                out.flush();
            });
            out.println();
        } catch (IllegalArgumentException e) {
            out.println("(" + e.getMessage() + ")");
        }
    }
}
