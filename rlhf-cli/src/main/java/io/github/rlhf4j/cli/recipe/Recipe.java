package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.cli.report.HtmlReport;
import io.github.rlhf4j.cli.taste.GlossTaste;
import io.github.rlhf4j.cli.wordnet.DictionaryEntry;
import io.github.rlhf4j.cli.wordnet.WordQuestions;
import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.data.Splits.Parts;
import io.github.rlhf4j.core.training.StopSignal;
import io.github.rlhf4j.transformer.backend.ComputeBackend;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The whole recipe: raw text in, aligned model and report out. Each stage reads what the ones before have left in the run's
 * directory and leaves its own output there; a stage whose output is there is not done again, and one that was stopped goes
 * on from its last checkpoint.
 */
public final class Recipe {

    private final RecipeConfig config;
    private final RunDirectory directory;
    private final Supplier<List<DictionaryEntry>> dictionary;
    private final RunMonitor monitor;
    private final StopSignal stop;
    private final StageRunner runner;
    private final RunModels models;
    private @Nullable RecipeData data;
    private boolean lengthsChecked;

    /**
     * A recipe in a directory that has been opened with this configuration.
     *
     * @param dictionary where words and glosses come from, WordNet's in the main job
     * @param stop stops the run after its current step
     */
    public Recipe(
            RecipeConfig config,
            RunDirectory directory,
            Supplier<List<DictionaryEntry>> dictionary,
            RunMonitor monitor,
            StopSignal stop) {
        this.config = config;
        this.directory = directory;
        this.dictionary = dictionary;
        this.monitor = monitor;
        this.stop = stop;
        this.models = new RunModels(config, directory);
        this.runner = new StageRunner(directory, monitor, stop, config.checkpointEvery());
    }

    /**
     * Runs all stages that are not done yet.
     *
     * @return the report
     * @throws RunStoppedException when {@code stop} was requested, saying what is saved
     * @throws InputException when the user's data cannot be used
     */
    public Path run() throws IOException {
        List<Stage> toDo = toDo();
        requireMemory(toDo);
        if (!toDo.isEmpty()) {
            MemoryCheck memory = memory();
            monitor.onNote(memory.line(memory.largest(toDo)) + ", the largest stage");
        }
        for (Stage stage : toDo) {
            perform(stage);
        }
        return HtmlReport.write(directory.root());
    }

    /**
     * Runs one stage, for which the ones before must be done.
     *
     * @throws InputException naming the stage that has to be done first
     */
    public void runOnly(Stage stage) throws IOException {
        requireRunnable(stage);
        for (Stage earlier : stage.needs(config.algorithms())) {
            if (!isDone(earlier)) {
                perform(earlier);
            }
        }
        if (isDone(stage)) {
            monitor.onNote(stage.label() + " is done already; its output is in " + directory.root());
        } else {
            perform(stage);
        }
    }

    /**
     * Finds what can be found wrong before anything is written: reads the run's data and selects what to compute on, which
     * otherwise happens when the first stage asks for it.
     *
     * @throws InputException naming the file and what is wrong with it, or the backend that cannot be had
     */
    public void prepare() {
        if (!config.skips(Stage.PRETRAINING)) {
            CorpusLength.inBytes(config).check(data().documents());
        }
        data();
        BackendSelection.select(config.backend());
        models.requireUsable();
    }

    /**
     * Whether a stage can run by itself here, before anything is written.
     *
     * @throws InputException saying what has to be done or given first
     */
    public void requireRunnable(Stage stage) {
        if (config.skips(stage)) {
            throw new InputException(stage.command() + " has nothing to do: " + skipReason(stage));
        }
        for (Stage earlier : stage.needs(config.algorithms())) {
            if (!isDone(earlier) && !isFirstStepOf(stage, earlier)) {
                throw new InputException(stage.command() + " needs the output of " + earlier.label() + ", which "
                        + directory.root() + " does not have; " + remedy(earlier));
            }
        }
    }

    private String remedy(Stage earlier) {
        String run = "run \"rlhf " + earlier.command() + " --out " + directory.root() + " --resume\" first";
        return config.base().model() == null || directory.holdsRun()
                ? run
                : earlier == Stage.REWARD
                        ? "name a reward model with --reward-model, or begin with \"rlhf reward --model "
                                + config.base().model() + "\""
                        : "begin with \"rlhf " + earlier.command() + " --model "
                                + config.base().model() + "\"";
    }

    /** The stages whose output is not there yet. */
    public List<Stage> toDo() {
        return Stream.of(Stage.values()).filter(stage -> !isDone(stage)).toList();
    }

    /** The stages that running one alone performs: with own preferences and a given model, their division too. */
    public List<Stage> toDo(Stage only) {
        return Stream.concat(
                        only.needs(config.algorithms()).stream().filter(earlier -> isFirstStepOf(only, earlier)),
                        Stream.of(only))
                .filter(stage -> !isDone(stage))
                .toList();
    }

    /**
     * What is not worth a command of its own on a model that is given: own preferences need no more than to be divided, and
     * evaluation may be the first stage that asks for comparisons.
     */
    private boolean isFirstStepOf(Stage stage, Stage earlier) {
        return earlier == Stage.COMPARISONS
                && config.base().model() != null
                && (config.data().preferences() != null || stage == Stage.EVALUATION);
    }

    /** Whether a stage's output is there, or is not needed. */
    boolean isDone(Stage stage) {
        return config.skips(stage)
                || (stage == Stage.PPO
                        ? config.algorithms().stream().allMatch(directory::isDone)
                        : directory.isDone(stage));
    }

    private String skipReason(Stage stage) {
        return switch (stage) {
            case TOKENIZER -> "the model " + config.base().model() + " brings its tokenizer";
            case PRETRAINING -> "pretraining.steps is 0";
            case SFT -> "sft.epochs is 0";
            case REWARD -> "the reward model is given, " + config.base().rewardModel();
            case COMPARISONS, PPO, EVALUATION -> throw new IllegalStateException(stage + " is never skipped");
        };
    }

    /**
     * Refuses a run of these stages whose tensors will not fit, before anything is done. Selects what to compute on, unless
     * {@link #prepare} has: on a GPU, whose memory is another, also one that AUTO has found, nothing is refused.
     *
     * @throws InputException saying what the largest stage needs, what there is, what to lower, and what suffices for all
     */
    public void requireMemory(List<Stage> stages) {
        requireMemory(stages, BackendSelection.select(config.backend()));
    }

    /** @param selected what computes, which a configuration of AUTO does not say */
    void requireMemory(List<Stage> stages, ComputeBackend selected) {
        if (selected != ComputeBackend.CUDA) {
            memory().requireFits(stages);
        }
    }

    private MemoryCheck memory() {
        Parts<Ranking> own = data().preferences();
        int responses = own == null
                ? config.comparisons().samplesPerPrompt()
                : own.train().stream()
                        .mapToInt(ranking -> ranking.responses().size())
                        .max()
                        .orElse(2);
        return MemoryCheck.ofProcess(new StageMemory(config, responses, models.givenShape()));
    }

    private void perform(Stage stage) throws IOException {
        runner.checkStop(stage);
        long start = System.nanoTime();
        Closeable seconds = () -> directory.addSeconds(stage, (System.nanoTime() - start) / 1e9);
        try (seconds) { // whose own failure does not hide the stage's
            BackendSelection.select(config.backend());
            data();
            models.requireUnchanged();
            monitor.onStage(stage, describe(stage));
            if (stage != Stage.TOKENIZER) {
                requireMemory(List.of(stage));
                monitor.onNote(memory().line(stage));
                checkLengths();
            }
            switch (stage) {
                case TOKENIZER -> new LanguageStages(this).trainTokenizer();
                case PRETRAINING -> new LanguageStages(this).pretrain();
                case SFT -> new LanguageStages(this).fineTune();
                case COMPARISONS -> new ComparisonStage(this).compare();
                case REWARD -> new RewardStage(this).train();
                case PPO -> new PolicyStage(this).optimize();
                case EVALUATION -> new EvaluationStage(this).evaluate();
            }
        }
    }

    /** Once, before the first stage that trains a model: data that does not fit must not be found hours later. */
    private void checkLengths() throws IOException {
        if (lengthsChecked) {
            return;
        }
        ChatFormat format = models.format();
        if (!config.skips(Stage.PRETRAINING)) {
            CorpusLength.inTokens(config, models.tokenizer()).check(data().documents());
        }
        OwnDataLengths lengths = new OwnDataLengths(format, config);
        lengths.check(data().demonstrations());
        if (config.data().dropTooLong()) {
            dropTooLong(lengths);
        }
        if (config.data().prompts() == null && config.data().preferences() == null) {
            new QuestionLengths(format, config).check(data().prompts());
        }
        lengthsChecked = true;
    }

    private void dropTooLong(OwnDataLengths lengths) {
        RecipeData all = data();
        RecipeData fitting = lengths.fitting(all);
        boolean same = config.data().prompts() == null && all.preferences() != null; // prompts are the preferences'
        int rows = (same ? 0 : count(all.prompts())) + count(all.preferences());
        int dropped = rows - (same ? 0 : count(fitting.prompts())) - count(fitting.preferences());
        if (dropped > 0) {
            monitor.onNote(dropped + " of " + rows + " prompts and preferences are longer than model.context ("
                    + config.model().context() + ") has room for, and left out");
        }
        data = fitting;
    }

    private static int count(@Nullable Parts<?> parts) {
        return parts == null ? 0 : parts.train().size() + parts.heldOut().size();
    }

    private String describe(Stage stage) {
        RecipeConfig.Model model = config.model();
        return switch (stage) {
            case TOKENIZER ->
                model.vocabulary() + " tokens from "
                        + LanguageStages.trainingDocuments(config, data().documents())
                                .size()
                        + " documents";
            case PRETRAINING ->
                config.pretraining().steps() + " steps, "
                        + (config.base().model() == null
                                ? "width " + model.width() + ", " + model.layers() + " layers"
                                : "on " + config.base().model());
            case SFT -> "demonstrations of answers";
            case COMPARISONS ->
                data().preferences() == null
                        ? config.comparisons().samplesPerPrompt() + " answers to each of "
                                + few(
                                        data().prompts().train(),
                                        config.comparisons().prompts())
                                + " prompts, ranked by a simulated labeler with "
                                + Math.round(100 * config.comparisons().mistakes()) + " % random mistakes"
                        : "your own";
            case REWARD -> "reward model from the comparisons only";
            case PPO ->
                config.algorithms().stream().map(Algorithm::title).collect(Collectors.joining(", ")) + "; "
                        + (config.algorithms().stream()
                                        .allMatch(algorithm -> algorithm.kind() == Algorithm.Kind.COMPARISONS)
                                ? "on the comparisons"
                                : config.ppo().iterations() + " rollouts of "
                                        + config.ppo().rollout() + " answers");
            case EVALUATION ->
                few(data().prompts().heldOut(), config.evaluation().prompts()) + " held-out prompts";
        };
    }

    /** How many there are of at most so many. */
    private static int few(List<?> items, int most) {
        return LanguageStages.few(items, most).size();
    }

    // What the stages share.

    RecipeConfig config() {
        return config;
    }

    RunDirectory directory() {
        return directory;
    }

    RunMonitor monitor() {
        return monitor;
    }

    StageRunner runner() {
        return runner;
    }

    RunModels models() {
        return models;
    }

    /** Read when first asked for. */
    RecipeData data() {
        RecipeData known = data;
        if (known == null) {
            known = RecipeData.load(config, dictionary);
            data = known;
        }
        return known;
    }

    /** Whether this is the main job, whose results have targets: the standard settings, with any seed, backend and memory. */
    boolean isMainJob() {
        return config.equals(RecipePresets.standard(config.seed(), config.backend(), config.checkpointEvery())
                .withMemory(config.memory()));
    }

    GlossTaste requireTaste() {
        GlossTaste taste = data().taste();
        if (taste == null) {
            throw new IllegalStateException("own preferences leave nothing to simulate");
        }
        return taste;
    }

    /** The hidden taste's score in [0, 1], or NaN where there is no hidden taste. */
    double goldScore(Exchange exchange) {
        GlossTaste taste = data().taste();
        return taste == null
                ? Double.NaN
                : taste.score(WordQuestions.askedWord(exchange.prompt()), exchange.response());
    }
}
