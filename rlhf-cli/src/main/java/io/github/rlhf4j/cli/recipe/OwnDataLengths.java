package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.data.PreferenceFiles;
import io.github.rlhf4j.core.data.PromptFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Whether the user's own prompts and preferences fit the model's window: asked as soon as there is a tokenizer to count
 * with, and not by a stage that comes after an hour of pretraining. Demonstrations are cut to the window by fine-tuning.
 */
final class OwnDataLengths {

    private static final int QUOTED = 60;

    private final ChatFormat format;
    private final int context;
    private final int answer;

    /**
     * Lengths in the tokens of this format.
     *
     * @param config window and room for answers
     */
    OwnDataLengths(ChatFormat format, RecipeConfig config) {
        this.format = format;
        this.context = config.model().context();
        this.answer = Math.max(
                config.ppo().maxNewTokens(),
                config.data().preferences() == null ? config.comparisons().maxNewTokens() : 0);
    }

    /** @throws InputException naming the first row that does not fit, what it needs and the remedies */
    void check(RecipeConfig.Data files) throws IOException {
        String prompts = files.prompts();
        if (prompts != null) {
            checkPrompts(prompts, PromptFiles.read(Path.of(prompts)));
        }
        String preferences = files.preferences();
        if (preferences != null) {
            checkRankings(preferences, PreferenceFiles.read(Path.of(preferences)), prompts == null);
        }
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
        return new InputException(file + ", row " + row + ": " + length + ", but " + rule + ": \"" + start
                + "\". Shorten or drop the row, " + (remedy == null ? "" : remedy + ", ")
                + "or train a model with a longer window (--set model.context=…, in another run)");
    }
}
