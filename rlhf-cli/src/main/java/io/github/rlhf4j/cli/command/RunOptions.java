package io.github.rlhf4j.cli.command;

import com.fasterxml.jackson.databind.node.TextNode;
import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.cli.recipe.Algorithm;
import io.github.rlhf4j.cli.recipe.ConfigFiles;
import io.github.rlhf4j.cli.recipe.RecipeConfig;
import io.github.rlhf4j.cli.recipe.RecipePresets;
import io.github.rlhf4j.cli.recipe.RunDirectory;
import io.github.rlhf4j.cli.recipe.Stage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that all stages share, and the configuration they come to: defaults, then file, then flags. */
final class RunOptions {

    private static final Path RUNS = Path.of("runs");

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "Settings as YAML, over the defaults. Paths in it are relative to the working directory.")
    @Nullable
    Path config;

    @Option(names = "--quick", description = "A small run of the same shape in less than two minutes.")
    boolean quick;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description =
                    "The run's directory; default: the next of runs/1, 2 …, for a stage after the first the last.")
    @Nullable
    Path out;

    @Option(names = "--resume", description = "Go on with the run in --out; default: with the last of runs/1, 2 …")
    boolean resume;

    @Option(names = "--seed", description = "Seed of all randomness.")
    @Nullable
    Long seed;

    @Option(names = "--backend", paramLabel = "auto|cpu|cuda", description = "What to compute on.")
    @Nullable
    String backend;

    @Option(names = "--text", paramLabel = "FILE", description = "Your own text to pretrain on.")
    @Nullable
    String text;

    @Option(names = "--demonstrations", paramLabel = "FILE", description = "Your own demonstrations to fine-tune on.")
    @Nullable
    String demonstrations;

    @Option(
            names = "--preferences",
            paramLabel = "FILE",
            description = "Your own preferences to learn the reward from; then no labeler is simulated.")
    @Nullable
    String preferences;

    @Option(names = "--prompts", paramLabel = "FILE", description = "Your own prompts to optimise the policy on.")
    @Nullable
    String prompts;

    @Option(
            names = "--algorithm",
            paramLabel = "NAME",
            split = ",",
            description = {
                "What optimises the policy, one or several to compare; of a run that is gone on with, more of them.",
                "One of ${COMPLETION-CANDIDATES}."
            })
    List<Algorithm> algorithms = List.of();

    @Option(
            names = "--model",
            paramLabel = "DIR|FILE",
            description = "A model to go on with, in place of pretraining one: a directory, a .gguf file, a .bin file.")
    @Nullable
    String model;

    @Option(
            names = "--reward-model",
            paramLabel = "DIR",
            description = "A reward model to optimise against, in place of learning one.")
    @Nullable
    String rewardModel;

    @Option(
            names = "--chat-template",
            paramLabel = "FILE",
            description = "A Jinja template to converse by, in place of the --model's own.")
    @Nullable
    String chatTemplate;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "One setting, such as ppo.iterations=50.")
    Map<String, String> settings = new LinkedHashMap<>();

    private @Nullable Stage begun;

    /**
     * The run's directory.
     *
     * @param continues whether a stage goes on with the last run where none is named, as each but the first does
     */
    RunDirectory directory(boolean continues) throws IOException {
        Path named = out;
        if (named != null) {
            RunDirectory directory = new RunDirectory(requireDirectory(named));
            if (resume && !directory.holdsRun()) {
                throw new InputException("there is no run in " + named
                        + " to resume; check the path, or begin one there" + " without --resume");
            }
            return directory;
        }
        int last = lastRun();
        if (resume && last == 0) {
            throw new InputException("there is no run in " + RUNS + " to resume; name one with --out");
        }
        boolean goesOn = resume || continues && last > 0;
        return new RunDirectory(RUNS.resolve(String.valueOf(goesOn ? last : last + 1)));
    }

    /** The directory of {@code runs/1, 2 …} that was begun last, unless one is named. */
    static Path lastRunUnless(@Nullable Path named) throws IOException {
        if (named != null) {
            return requireDirectory(named);
        }
        int last = lastRun();
        if (last == 0) {
            throw new InputException("there is no run in " + RUNS + "; name one with --out, or begin one: rlhf run");
        }
        return RUNS.resolve(String.valueOf(last));
    }

    /** A path that is a directory or can become one. */
    private static Path requireDirectory(Path named) {
        Path absolute = named.toAbsolutePath().normalize();
        for (Path path = absolute; path != null; path = path.getParent()) {
            if (Files.exists(path) && !Files.isDirectory(path)) {
                throw new InputException("--out " + named + " cannot be a run's directory: " + path
                        + " is a file; name a directory, or a path where there is nothing yet");
            }
        }
        return named;
    }

    private static int lastRun() throws IOException {
        if (!Files.isDirectory(RUNS)) {
            return 0;
        }
        try (Stream<Path> entries = Files.list(RUNS)) {
            return entries.map(entry -> entry.getFileName().toString())
                    .filter(name -> name.matches("\\d{1,9}"))
                    .mapToInt(Integer::parseInt)
                    .max()
                    .orElse(0);
        }
    }

    /**
     * With {@code --model} a run begins at any stage: the model stands for what the stages before would have trained, unless a
     * setting says that they are to train it further.
     */
    void beginAt(Stage stage) {
        begun = stage;
    }

    /**
     * What to run: a run that is gone on with starts from its own stored configuration, so that only contradictions are
     * errors. Paths that file or flags give are relative to the working directory and stored as absolute ones, so that the
     * run can be gone on with from another.
     */
    RecipeConfig resolve(RunDirectory directory, boolean continues) {
        boolean stored = (resume || continues) && directory.holdsRun() && !quick;
        RecipeConfig base = stored ? directory.storedConfig() : defaults();
        RecipeConfig changed = ConfigFiles.change(base, config, flags(stored ? base.algorithms() : List.of()));
        return ConfigFiles.set(changed, absolute(changed, stored ? base : RecipePresets.standard()));
    }

    /** What a run that begins has where nothing says otherwise, which a given model decides too. */
    private RecipeConfig defaults() {
        String given = ConfigFiles.text(config, flags(List.of()), "base.model");
        if (given == null) {
            return quick ? RecipePresets.quick() : RecipePresets.standard();
        }
        RecipeConfig onModel = quick ? RecipePresets.quickOnModel(given) : RecipePresets.onModel(given);
        return begun == null ? onModel : RecipePresets.beginningAt(begun, onModel);
    }

    /** The settings that make paths absolute; what a run has stored already stays as it is. */
    private static Map<String, String> absolute(RecipeConfig changed, RecipeConfig stored) {
        Map<String, String> paths = new LinkedHashMap<>();
        RecipeConfig.Data data = changed.data();
        putAbsolute(paths, "data.text", data.text(), stored.data().text());
        putAbsolute(
                paths,
                "data.demonstrations",
                data.demonstrations(),
                stored.data().demonstrations());
        putAbsolute(paths, "data.preferences", data.preferences(), stored.data().preferences());
        putAbsolute(paths, "data.prompts", data.prompts(), stored.data().prompts());
        RecipeConfig.Base models = changed.base();
        putAbsolute(paths, "base.model", models.model(), stored.base().model());
        putAbsolute(
                paths, "base.rewardModel", models.rewardModel(), stored.base().rewardModel());
        putAbsolute(
                paths, "base.chatTemplate", models.chatTemplate(), stored.base().chatTemplate());
        return paths;
    }

    private static void putAbsolute(
            Map<String, String> paths, String key, @Nullable String path, @Nullable String stored) {
        if (path != null && !path.equals(stored)) {
            put(paths, key, quoted(Path.of(path).toAbsolutePath().toString()));
        }
    }

    /** @param begun the algorithms of a run that is gone on with, to which others are added */
    private Map<String, String> flags(List<Algorithm> begun) {
        Map<String, String> flags = new LinkedHashMap<>();
        if (!algorithms.isEmpty()) {
            flags.put(
                    "algorithms",
                    Stream.concat(begun.stream(), algorithms.stream())
                            .distinct()
                            .toList()
                            .toString());
        }
        put(flags, "seed", seed);
        put(flags, "backend", backend);
        put(flags, "data.text", quoted(text));
        put(flags, "data.demonstrations", quoted(demonstrations));
        put(flags, "data.preferences", quoted(preferences));
        put(flags, "data.prompts", quoted(prompts));
        put(flags, "base.model", quoted(model));
        put(flags, "base.rewardModel", quoted(rewardModel));
        put(flags, "base.chatTemplate", quoted(chatTemplate));
        flags.putAll(settings);
        return flags;
    }

    private static void put(Map<String, String> flags, String key, @Nullable Object value) {
        if (value != null) {
            flags.put(key, value.toString());
        }
    }

    private static @Nullable String quoted(@Nullable String path) {
        return path == null ? null : new TextNode(path).toString();
    }
}
