package io.github.rlhf4j.cli.recipe;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.cli.report.RunRecords;
import java.io.IOException;
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

    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * Begins a run here, or goes on with the one that is here.
     *
     * @throws InputException when a run is here and is not to be resumed, or is to be resumed with other settings
     */
    public void open(RecipeConfig config, boolean resume) throws IOException {
        Path file = config();
        if (!Files.exists(file)) {
            Files.createDirectories(root);
            Files.writeString(file, ConfigFiles.write(config));
            return;
        }
        if (!resume) {
            throw new InputException(root + " holds a run already; go on with it by --resume, or name another directory"
                    + " with --out");
        }
        requireSame(storedConfig(), config);
    }

    private void requireSame(RecipeConfig stored, RecipeConfig wanted) {
        List<String> differences = ConfigFiles.differences(stored, wanted);
        if (!differences.isEmpty()) {
            throw new InputException("the run in " + root + " was begun with other settings (there, here): "
                    + String.join("; ", differences) + ". Resume it with its own, or begin another with --out");
        }
    }

    /** The configuration a run here was begun with. */
    public RecipeConfig storedConfig() {
        return ConfigFiles.read(config(), RecipeConfig.standard());
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

    /** A stage's model, there when the stage is done. */
    public Path model(Stage stage) {
        return root.resolve(stage.label()).resolve("model");
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

    /** Wall time of each stage so far, over all resumptions. */
    public Map<String, Double> seconds() throws IOException {
        Path file = root.resolve("seconds.json");
        if (!Files.exists(file)) {
            return new LinkedHashMap<>();
        }
        try {
            return JSON.readValue(Files.readString(file), new TypeReference<LinkedHashMap<String, Double>>() {});
        } catch (JacksonException e) {
            throw new IOException(file + " is broken; delete it", e);
        }
    }

    /** Adds to a stage's wall time. */
    void addSeconds(Stage stage, double seconds) throws IOException {
        Map<String, Double> all = seconds();
        all.merge(stage.label(), seconds, Double::sum);
        Files.writeString(root.resolve("seconds.json"), JSON.writeValueAsString(all) + "\n");
    }
}
