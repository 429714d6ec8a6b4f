package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.cli.wordnet.DictionaryEntry;
import io.github.rlhf4j.cli.wordnet.WordNet;
import io.github.rlhf4j.cli.wordnet.WordQuestions;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.core.training.StopSignal;
import io.github.rlhf4j.core.training.Trainer;
import io.github.rlhf4j.core.training.TrainingListener;
import io.github.rlhf4j.transformer.backend.ComputeBackend;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A recipe that takes seconds: a miniature dictionary and a model too small to learn much. */
public final class TinyRun {

    /** 400 meanings of common words with examples. */
    public static final List<DictionaryEntry> DICTIONARY = WordNet.load().stream()
            .filter(entry -> entry.hasExample() && WordQuestions.isCommon(entry.word()))
            .limit(400)
            .toList();

    private TinyRun() {}

    public static RecipeConfig config() {
        return new RecipeConfig(
                3,
                ComputeBackend.CPU,
                0.2,
                2,
                RecipeConfig.Memory.defaults(),
                RecipeConfig.Data.dictionary(),
                RecipeConfig.Base.none(),
                RecipeConfig.Lora.none(),
                List.of(Algorithm.PPO),
                new RecipeConfig.Model(300, 16, 1, 2, 96, 0.1),
                new RecipeConfig.Pretraining(100, 6, 4, 1e-2, 0),
                new RecipeConfig.Sft(48, 1, 16, 1e-2),
                new RecipeConfig.Comparisons(8, 4, 6, 0.1, 16, 1),
                new RecipeConfig.Reward(2, 4, 1e-2),
                new RecipeConfig.Ppo(4, 8, 2, 4, 2, 1e-3, 1e-3, 0.05, 6, 0, 1000, -2, 16, 1, false, 0),
                new RecipeConfig.Dpo(2, 4, 1e-2, 0.1),
                new RecipeConfig.Evaluation(6, 8));
    }

    /** Asks to stop after the first step of a stage. */
    static RunMonitor stoppingIn(Stage stage, StopSignal stop) {
        return new RunMonitor() {
            @Override
            public TrainingListener listener(Stage running) {
                return (Trainer trainer, StepReport report) -> {
                    if (running == stage && report.step() == 1) {
                        stop.request();
                    }
                    return true;
                };
            }
        };
    }

    /** Begins or resumes a run in a directory. */
    static Recipe recipe(RecipeConfig config, Path directory, RunMonitor monitor, StopSignal stop, boolean resume)
            throws IOException {
        RunDirectory run = new RunDirectory(directory);
        run.open(config, resume);
        return new Recipe(config, run, () -> DICTIONARY, monitor, stop);
    }
}
