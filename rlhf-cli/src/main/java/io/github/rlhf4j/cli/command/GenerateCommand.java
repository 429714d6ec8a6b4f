package io.github.rlhf4j.cli.command;

import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.transformer.TransformerPolicy;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Answers prompts. */
@Command(name = "generate", mixinStandardHelpOptions = true, description = "Answer prompts, streaming.")
final class GenerateCommand implements Callable<Integer> {

    @Parameters(arity = "1..*", paramLabel = "PROMPT", description = "Such as 'What does \"abacus\" mean?'")
    List<String> prompts = List.of();

    @Option(
            names = "--complete",
            description =
                    "Go on with the text of the prompt instead of answering it: for models that were not taught turns.")
    boolean complete;

    @Mixin
    ModelOptions options = new ModelOptions();

    @Spec
    @Nullable
    CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        PrintWriter out = Rlhf.out(spec);
        try (TransformerPolicy policy = options.open()) {
            ChatFormat format = complete ? new TextFormat(policy.tokenizer()) : options.format(policy.tokenizer());
            for (String prompt : prompts) {
                if (complete) {
                    out.print(prompt);
                }
                answer(policy, format, Conversation.of(prompt), out);
            }
        }
        return 0;
    }

    private void answer(TransformerPolicy policy, ChatFormat format, Conversation prompt, PrintWriter out)
            throws IOException {
        try {
            policy.generator(options.weights())
                    .complete(
                            List.of(format.prompt(prompt)),
                            options.sampling(format),
                            options.seed,
                            (sequence, token, text) -> {
                                out.print(text);
                                out.flush();
                            });
        } catch (IllegalArgumentException e) {
            throw new InputException(String.valueOf(e.getMessage()), e);
        }
        out.println();
        out.flush();
    }
}
