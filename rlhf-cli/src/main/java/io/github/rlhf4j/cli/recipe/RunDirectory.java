package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.cli.report.RunRecords;
import io.github.rlhf4j.core.files.DurableFiles;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Where a run keeps what it makes. A stage is done when its output is there, which is written last and as a whole.
 *
 * @param root the directory that {@code --out} names
 */
public record RunDirectory(Path root) {

    /**
     * Begins a run here, or goes on with the one that is here, whose settings of memory may be others from now on, and to whose
     * algorithms others may be added; then it is evaluated anew.
     *
     * @throws InputException when a run is here and is not to be resumed, or is to be resumed with other settings
     */
    public void open(RecipeConfig config, boolean resume) throws IOException {
        Path file = config();
        if (!Files.exists(file)) {
            Files.createDirectories(root);
            write(config);
            return;
        }
        if (!resume) {
            throw new InputException(root + " holds a run already; go on with it by --resume, or name another directory"
                    + " with --out");
        }
        RecipeConfig stored = storedConfig();
        requireSame(stored, config);
        if (!stored.equals(config)) {
            write(config);
        }
        if (!stored.algorithms().equals(config.algorithms())) {
            Files.deleteIfExists(root.resolve(RunRecords.RESULTS));
        }
    }

    private void write(RecipeConfig config) throws IOException {
        DurableFiles.replace(config(), ConfigFiles.write(config).getBytes(StandardCharsets.UTF_8));
    }

    /**
     * The right to run here, which is to be had before {@link #open} and closed at the end of the run. Whoever only reads
     * needs none. Where the file system has no locks, it comes with a warning.
     *
     * @throws InputException when a run is going on here
     */
    public RunLock lock() throws IOException {
        return RunLock.of(root, FileChannel::tryLock);
    }

    private void requireSame(RecipeConfig stored, RecipeConfig wanted) {
        List<Algorithm> begun = stored.algorithms();
        boolean adds = wanted.algorithms().size() > begun.size()
                && wanted.algorithms().subList(0, begun.size()).equals(begun);
        RecipeConfig same = stored.withMemory(wanted.memory());
        List<String> differences =
                ConfigFiles.differences(adds ? same.withAlgorithms(wanted.algorithms()) : same, wanted);
        if (!differences.isEmpty()) {
            throw new InputException("the run in " + root + " was begun with other settings (there, here): "
                    + String.join("; ", differences) + ". Resume it with its own, or begin another with --out");
        }
    }

    /** The configuration a run here was begun with. */
    public RecipeConfig storedConfig() {
        return ConfigFiles.read(config(), RecipePresets.standard());
    }

    public boolean holdsRun() {
        return Files.exists(config());
    }

    public Path config() {
        return root.resolve(RunRecords.CONFIG);
    }

    public Path metrics() {
        return root.resolve(RunRecords.METRICS);
    }

    public Path tokenizer() {
        return root.resolve("tokenizer.json");
    }

    /** A stage's checkpoints. */
    public Path checkpoints(Stage stage) {
        return root.resolve(stage.label()).resolve("checkpoints");
    }

    /** An algorithm's checkpoints. */
    Path checkpoints(Algorithm algorithm) {
        return root.resolve(algorithm.label()).resolve("checkpoints");
    }

    /** The model that an algorithm has optimised, there when it is done. */
    public Path model(Algorithm algorithm) {
        return root.resolve(algorithm.label()).resolve("model");
    }

    /** The low-rank adapters of that model by themselves, where it has such. */
    Path adapters(Algorithm algorithm) {
        return root.resolve(algorithm.label()).resolve("adapter");
    }

    /** Whether an algorithm has come to its end. */
    public boolean isDone(Algorithm algorithm) {
        return Files.exists(model(algorithm).resolve("manifest.json"));
    }

    /** A stage's model, there when the stage is done. */
    public Path model(Stage stage) {
        return root.resolve(stage.label()).resolve("model");
    }

    /** The low-rank adapters of a stage's model by themselves, where it trained such. */
    public Path adapters(Stage stage) {
        return root.resolve(stage.label()).resolve("adapter");
    }

    /** What the files of the models that exist already held when the run began. */
    Path baseDigests() {
        return root.resolve("base-models.sha256");
    }

    /** What the labeler said, mistakes included. */
    public Path comparisons() {
        return root.resolve("comparisons.jsonl");
    }

    /** Comparisons that no model trains on, without mistakes. */
    public Path unseenComparisons() {
        return root.resolve("unseen-comparisons.jsonl");
    }

    /** Whether a stage's output is here. */
    public boolean isDone(Stage stage) {
        return switch (stage) {
            case TOKENIZER -> Files.exists(tokenizer());
            case PRETRAINING, SFT, REWARD, PPO -> Files.exists(model(stage).resolve("manifest.json"));
            case COMPARISONS -> Files.exists(comparisons());
            case EVALUATION -> Files.exists(root.resolve(RunRecords.RESULTS));
        };
    }

    /** Adds to a stage's wall time. */
    void addSeconds(Stage stage, double seconds) throws IOException {
        Map<String, Double> all = new LinkedHashMap<>(RunRecords.readSeconds(root));
        all.merge(stage.label(), seconds, Double::sum);
        RunRecords.writeSeconds(root, all);
    }
}
