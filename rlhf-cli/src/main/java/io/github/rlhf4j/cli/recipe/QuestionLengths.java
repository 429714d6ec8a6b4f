package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.data.Splits.Parts;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Whether the dictionary's questions fit the model's window. A question that fills it cannot be answered at all; one that
 * leaves less than a whole answer is left out by PPO, which needs most of them.
 */
final class QuestionLengths {

    private final ChatFormat format;
    private final RecipeConfig config;

    /** Lengths in the tokens of this format. */
    QuestionLengths(ChatFormat format, RecipeConfig config) {
        this.format = format;
        this.config = config;
    }

    /** @throws InputException naming the window, how far it goes and what is needed */
    void check(Parts<Conversation> questions) {
        int context = config.model().context();
        int answer = Math.max(config.comparisons().maxNewTokens(), config.ppo().maxNewTokens());
        int heldOut = Math.max(
                config.comparisons().unseenPrompts(), config.evaluation().prompts());
        int[] training = lengths(
                LanguageStages.few(questions.train(), config.comparisons().prompts()));
        int[] asked = Stream.of(training, lengths(LanguageStages.few(questions.heldOut(), heldOut)))
                .flatMapToInt(Arrays::stream)
                .toArray();
        int longest = Arrays.stream(asked).max().orElse(0);
        long whole = Arrays.stream(training)
                .filter(length -> length + answer <= context)
                .count();
        if (longest >= context || 2 * whole < training.length) {
            throw new InputException("model.context is " + context + ", too small for the dictionary's questions and"
                    + " answers: of " + training.length + " questions " + whole + " leave room for an answer of "
                    + answer
                    + " tokens (comparisons.maxNewTokens, ppo.maxNewTokens), and the longest has " + longest
                    + ". All fit with " + (longest + answer) + " (--set model.context=" + (longest + answer)
                    + ", in another run); or ask for shorter answers, or give a larger model.vocabulary");
        }
    }

    private int[] lengths(List<Conversation> questions) {
        return questions.stream()
                .mapToInt(question -> format.prompt(question).length())
                .toArray();
    }
}
