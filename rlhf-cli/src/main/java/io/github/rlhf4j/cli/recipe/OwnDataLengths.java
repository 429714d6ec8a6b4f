package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Demonstration;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.data.PreferenceFiles;
import io.github.rlhf4j.core.data.PromptFiles;
import io.github.rlhf4j.core.data.Splits.Parts;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Whether the user's own data fits the model's window: asked as soon as there is a tokenizer to count with, and not by a
 * stage that comes after an hour of pretraining. Prompts and preferences must fit row by row; demonstrations are cut to the
 * window by fine-tuning, and only must not all lose their answers.
 */
final class OwnDataLengths {

    private static final int QUOTED = 60;

    private final ChatFormat format;
    private final RecipeConfig config;
    private final int context;
    private final int answer;

    /**
     * Lengths in the tokens of this format.
     *
     * @param config window and room for answers
     */
    OwnDataLengths(ChatFormat format, RecipeConfig config) {
        this.format = format;
        this.config = config;
        this.context = config.model().context();
        this.answer = Math.max(
                config.ppo().maxNewTokens(),
                config.data().preferences() == null ? config.comparisons().maxNewTokens() : 0);
    }

    /**
     * The data without the preferences and prompts that do not fit.
     *
     * @throws InputException when nothing of a part is left
     */
    RecipeData fitting(RecipeData data) {
        RecipeConfig.Data files = config.data();
        boolean asked = files.prompts() == null;
        Parts<Ranking> preferences = data.preferences();
        return new RecipeData(
                data.documents(),
                data.demonstrations(),
                fitting(data.prompts(), this::hasRoom, asked ? files.preferences() : files.prompts()),
                preferences == null
                        ? null
                        : fitting(
                                preferences,
                                ranking -> (!asked || hasRoom(ranking.conversation())) && longest(ranking) <= context,
                                files.preferences()),
                data.taste());
    }

    private <T> Parts<T> fitting(Parts<T> parts, Predicate<T> fits, @Nullable String file) {
        return new Parts<>(
                fitting(parts.train(), fits, file, "to train on"), fitting(parts.heldOut(), fits, file, "held out"));
    }

    private <T> List<T> fitting(List<T> items, Predicate<T> fits, @Nullable String file, String part) {
        List<T> fitting = items.stream().filter(fits).toList();
        if (fitting.isEmpty()) {
            throw new InputException((file == null ? "the dictionary" : file) + ": of the " + items.size() + " rows "
                    + part + " none fits model.context (" + context + ") with room for an answer of " + answer
                    + " tokens; train with a longer window (--set model.context=…, in another run)");
        }
        return fitting;
    }

    private boolean hasRoom(Conversation prompt) {
        return format.prompt(prompt).length() + answer <= context;
    }

    /** Tokens of the prompt with the longest of its responses. */
    private int longest(Ranking ranking) {
        int prompt = format.prompt(ranking.conversation()).length();
        return prompt
                + ranking.responses().stream()
                        .mapToInt(response -> format.response(response).length())
                        .max()
                        .orElse(0);
    }

    /**
     * Checks the files that the configuration names.
     *
     * @param demonstrations as they are divided
     * @throws InputException naming the first row that does not fit, what it needs and the remedies
     */
    void check(Parts<Demonstration> demonstrations) throws IOException {
        RecipeConfig.Data files = config.data();
        if (files.demonstrations() != null) {
            checkDemonstrations(
                    files.demonstrations(),
                    LanguageStages.trainingDemonstrations(config, demonstrations),
                    "to train on");
            checkDemonstrations(
                    files.demonstrations(), LanguageStages.heldOutDemonstrations(demonstrations), "held out");
        }
        if (files.dropTooLong()) {
            return;
        }
        String prompts = files.prompts();
        if (prompts != null) {
            checkPrompts(prompts, PromptFiles.read(Path.of(prompts)));
        }
        String preferences = files.preferences();
        if (preferences != null) {
            checkRankings(preferences, PreferenceFiles.read(Path.of(preferences)), prompts == null);
        }
    }

    private void checkDemonstrations(String file, List<Demonstration> demonstrations, String part) {
        if (demonstrations.stream().noneMatch(this::keepsAnAnswer)) {
            throw new InputException(file + ": of the " + demonstrations.size() + " demonstrations " + part
                    + " none has its answer, or the beginning of it, within the " + context
                    + " tokens of model.context. Shorten the prompts, or train a model with a longer window (--set"
                    + " model.context=…, in another run)");
        }
    }

    private boolean keepsAnAnswer(Demonstration demonstration) {
        return Arrays.stream(format.demonstration(demonstration).positions()).anyMatch(position -> position < context);
    }

    private void checkPrompts(String file, List<Conversation> prompts) {
        for (int i = 0; i < prompts.size(); i++) {
            checkPrompt(file, i + 1, prompts.get(i));
        }
    }

    /** @param asked whether PPO draws its prompts from here too */
    private void checkRankings(String file, PreferenceDataset rankings, boolean asked) {
        for (int i = 0; i < rankings.size(); i++) {
            Ranking ranking = rankings.get(i);
            if (asked) {
                checkPrompt(file, i + 1, ranking.conversation());
            }
            int prompt = format.prompt(ranking.conversation()).length();
            for (String response : ranking.responses()) {
                int length = format.response(response).length();
                if (prompt + length > context) {
                    throw tooLong(
                            file,
                            i + 1,
                            "prompt and response come to " + (prompt + length) + " tokens",
                            response,
                            "model.context is " + context,
                            null);
                }
            }
        }
    }

    private void checkPrompt(String file, int row, Conversation prompt) {
        int length = format.prompt(prompt).length();
        if (length + answer > context) {
            throw tooLong(
                    file,
                    row,
                    "the prompt has " + length + " tokens",
                    prompt.lastUserText(),
                    "model.context (" + context + ") less the answer (maxNewTokens " + answer + ") leaves "
                            + (context - answer),
                    "ask for shorter answers (--set ppo.maxNewTokens=…, comparisons.maxNewTokens=…)");
        }
    }

    private static InputException tooLong(
            String file, int row, String length, String text, String rule, @Nullable String remedy) {
        String start = text.length() <= QUOTED ? text : text.substring(0, QUOTED) + "…";
        return new InputException(
                file + ", row " + row + " (blank lines do not count): " + length + ", but " + rule + ": \"" + start
                        + "\". Shorten or drop the row, leave out all that are too long (--set data.dropTooLong=true, in another run), "
                        + (remedy == null ? "" : remedy + ", ")
                        + "or train a model with a longer window (--set model.context=…, in another run)");
    }
}
