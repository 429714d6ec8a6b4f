package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.random.RandomKey;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * Sampled answers, as many to each prompt.
 *
 * @param perPrompt answers to each prompt, ≥ 1
 * @param exchanges prompt and answer as text; those to one prompt stand together
 * @param completions the same as tokens
 */
record Answers(int perPrompt, List<Exchange> exchanges, List<Completion> completions) {

    private static final int PROMPTS_AT_ONCE = 64;

    /**
     * Samples answers.
     *
     * @param readable prompts' format, and how long an answer may be
     * @param progress is told how many prompts have been answered
     */
    static Answers sample(
            Policy policy,
            ReadableLength readable,
            List<Conversation> prompts,
            int perPrompt,
            Sampling sampling,
            RandomKey key,
            IntConsumer progress) {
        List<Exchange> exchanges = new ArrayList<>();
        List<Completion> completions = new ArrayList<>();
        for (int from = 0; from < prompts.size(); from += PROMPTS_AT_ONCE) {
            List<Conversation> some = prompts.subList(from, Math.min(from + PROMPTS_AT_ONCE, prompts.size()));
            List<TokenSequence> tokens = some.stream()
                    .flatMap(prompt ->
                            Collections.nCopies(perPrompt, readable.format().prompt(prompt)).stream())
                    .toList();
            List<Completion> drawn =
                    policy.complete(tokens, sampling, key.child(from).bits());
            for (int i = 0; i < drawn.size(); i++) {
                String text = policy.tokenizer().decode(drawn.get(i).response());
                exchanges.add(readable.fit(new Exchange(some.get(i / perPrompt), text)));
            }
            completions.addAll(drawn);
            progress.accept(from + some.size());
        }
        return new Answers(perPrompt, List.copyOf(exchanges), List.copyOf(completions));
    }

    int prompts() {
        return exchanges.size() / perPrompt;
    }

    /** The answers to one prompt. */
    List<String> texts(int prompt) {
        return exchanges.subList(prompt * perPrompt, (prompt + 1) * perPrompt).stream()
                .map(Exchange::response)
                .toList();
    }

    Conversation prompt(int prompt) {
        return exchanges.get(prompt * perPrompt).conversation();
    }

    /** Numbers of the answers by prompt: {@code [prompt][answer]}. */
    double[][] byPrompt(double[] numbers) {
        double[][] rows = new double[prompts()][];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = java.util.Arrays.copyOfRange(numbers, i * perPrompt, (i + 1) * perPrompt);
        }
        return rows;
    }
}
