package io.github.rlhf4j.cli.command;

import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.cli.recipe.Algorithm;
import io.github.rlhf4j.cli.recipe.ConfigFiles;
import io.github.rlhf4j.cli.recipe.Recipe;
import io.github.rlhf4j.cli.recipe.RecipeConfig;
import io.github.rlhf4j.cli.recipe.RunDirectory;
import io.github.rlhf4j.cli.recipe.RunLock;
import io.github.rlhf4j.cli.recipe.RunStoppedException;
import io.github.rlhf4j.cli.recipe.Stage;
import io.github.rlhf4j.cli.report.ResultsTable;
import io.github.rlhf4j.cli.report.RunRecords;
import io.github.rlhf4j.cli.wordnet.WordNet;
import io.github.rlhf4j.core.training.StopSignal;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Runs all stages, or one of them. */
abstract class StageCommand implements Callable<Integer> {

    static final int INTERRUPTED = 130;

    @Mixin
    RunOptions options = new RunOptions();

    @Spec
    @Nullable
    CommandSpec spec;

    private final @Nullable Stage only;

    StageCommand(@Nullable Stage only) {
        this.only = only;
    }

    @Override
    public Integer call() throws IOException {
        boolean continues = only != null && only != Stage.TOKENIZER && options.model == null;
        RunDirectory directory = options.directory(continues);
        if (continues && !directory.holdsRun()) {
            throw new InputException(only.command() + " goes on with a run, and there is none in " + directory.root()
                    + "; begin one with \"rlhf tokenizer\", on a model that you have with --model, or run all stages"
                    + " with \"rlhf run\"");
        }
        if (only != null && options.model != null) {
            options.beginAt(only);
        }
        boolean joins = only != null && directory.holdsRun();
        RecipeConfig config = options.resolve(directory, joins);
        StopSignal stop = new StopSignal();
        Console console = new Console(Rlhf.out(spec), Console.isTerminal());
        Recipe recipe = new Recipe(config, directory, WordNet::load, console, stop);
        if (only != null) {
            recipe.requireRunnable(only);
        }
        recipe.prepare(); // first, so that a broken file leaves no directory behind that would stand in the way
        recipe.requireMemory(only == null ? recipe.toDo() : recipe.toDo(only));
        RunLock lock = directory.lock();
        try (lock) {
            String warning = lock.warning();
            if (warning != null) {
                console.line(warning);
            }
            directory.open(config, options.resume || joins);
            console.line("run in " + directory.root() + " with\n"
                    + ConfigFiles.write(config).indent(2));
            return stoppable(recipe, directory, console, stop);
        }
    }

    /** With Ctrl-C as the way to stop. */
    private int stoppable(Recipe recipe, RunDirectory directory, Console console, StopSignal stop) throws IOException {
        Interrupts interrupts = Interrupts.handledBy(() -> {
            stop.request();
            console.line("   stopping after this step");
        });
        try {
            return perform(recipe, directory, console);
        } finally {
            interrupts.close();
        }
    }

    /** Says all there is to say before it returns, for after a Ctrl-C the program ends there. */
    private int perform(Recipe recipe, RunDirectory directory, Console console) throws IOException {
        try (console) {
            if (only != null) {
                recipe.runOnly(only);
                console.line("done; output in " + directory.root());
            } else {
                finish(recipe.run(), directory, console);
            }
            return 0;
        } catch (RunStoppedException e) {
            console.line(e.getMessage() + "\ngo on with: rlhf " + (only == null ? "run" : only.command())
                    + " --resume --out " + e.directory());
            return INTERRUPTED;
        }
    }

    private static void finish(Path report, RunDirectory directory, Console console) throws IOException {
        console.close();
        RunRecords records = RunRecords.read(directory.root());
        console.line("\n" + ResultsTable.of(records) + "\nreport: " + report.toAbsolutePath());
    }

    @Command(
            name = "run",
            mixinStandardHelpOptions = true,
            description = "The whole recipe, from raw text to an aligned model and a report.")
    static final class Run extends StageCommand {
        Run() {
            super(null);
        }
    }

    @Command(name = "tokenizer", mixinStandardHelpOptions = true, description = "Train the tokenizer.")
    static final class TrainTokenizer extends StageCommand {
        TrainTokenizer() {
            super(Stage.TOKENIZER);
        }
    }

    @Command(name = "pretrain", mixinStandardHelpOptions = true, description = "Pretrain on text.")
    static final class Pretrain extends StageCommand {
        Pretrain() {
            super(Stage.PRETRAINING);
        }
    }

    @Command(name = "sft", mixinStandardHelpOptions = true, description = "Fine-tune on demonstrations.")
    static final class FineTune extends StageCommand {
        FineTune() {
            super(Stage.SFT);
        }
    }

    @Command(name = "compare", mixinStandardHelpOptions = true, description = "Sample answers and have them compared.")
    static final class Compare extends StageCommand {
        Compare() {
            super(Stage.COMPARISONS);
        }
    }

    @Command(name = "reward", mixinStandardHelpOptions = true, description = "Train the reward model.")
    static final class Reward extends StageCommand {
        Reward() {
            super(Stage.REWARD);
        }
    }

    @Command(name = "ppo", mixinStandardHelpOptions = true, description = "Optimise the policy against the reward.")
    static final class Ppo extends StageCommand {
        Ppo() {
            super(Stage.PPO);
        }
    }

    @Command(
            name = "dpo",
            mixinStandardHelpOptions = true,
            description = "Optimise the policy on comparisons by DPO; the same as ppo --algorithm dpo.")
    static final class Dpo extends StageCommand {
        Dpo() {
            super(Stage.PPO);
        }

        @Override
        public Integer call() throws IOException {
            if (options.algorithms.isEmpty()) {
                options.algorithms = List.of(Algorithm.DPO);
            }
            return super.call();
        }
    }

    @Command(name = "evaluate", mixinStandardHelpOptions = true, description = "Measure on held-out prompts.")
    static final class Evaluate extends StageCommand {
        Evaluate() {
            super(Stage.EVALUATION);
        }
    }
}
