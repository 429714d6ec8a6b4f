package io.github.rlhf4j.cli.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.core.training.StopSignal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What is foretold of a stage is what the process grows by while it runs, within a factor of two where models
 * train: sequences are shorter than the context, and buffers of libraries and files are not foretold.
 */
class StageMemoryTest {

    private static final List<Stage> TRAINING = List.of(Stage.PRETRAINING, Stage.SFT, Stage.REWARD, Stage.PPO);
    private static final List<Stage> SAMPLING = List.of(Stage.COMPARISONS, Stage.EVALUATION);

    private static final String GREW = "grew ";

    @TempDir
    Path directory;

    @Test
    @Tag("slow") // half a minute beside other work
    void eachStageTakesWhatWasForetold() throws Exception {
        RecipeConfig config = config();
        StageMemory foretold = new StageMemory(config, config.comparisons().samplesPerPrompt(), null);
        Map<Stage, Long> grown = measuredInAProcessOfItsOwn();

        Map<Stage, Double> ratios = new EnumMap<>(Stage.class);
        grown.forEach((stage, bytes) -> ratios.put(
                stage, bytes / (double) Math.max(1, foretold.of(stage).offHeap())));
        assertThat(TRAINING)
                .as("measured / foretold: %s, measured: %s", ratios, grown)
                .allMatch(stage -> ratios.get(stage) > 0.5 && ratios.get(stage) < 2);
        // Foretold is the most there can be: 64 distinct prompts as long as the context, and room to score as many.
        // This run
        // asks a quarter as many, shorter ones, and equal prompts share their prefill; hence so low a bound from below.
        // What
        // must hold is the one from above.
        assertThat(SAMPLING)
                .as("measured / foretold: %s", ratios)
                .allMatch(stage -> ratios.get(stage) > 0.05 && ratios.get(stage) < MemoryCheck.MARGIN);
    }

    /** Large enough for tensors to outweigh all else, with batches that fill a pass. */
    private static Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("model.width", "256");
        settings.put("model.layers", "4");
        settings.put("memory.microBatchTokens", "2048");
        settings.put("checkpointEvery", "1000");
        settings.put("heldOutShare", "0.05");
        settings.put("pretraining.steps", "1");
        settings.put("pretraining.batch", "24");
        settings.put("sft.demonstrations", "64");
        settings.put("sft.batch", "64");
        settings.put("comparisons.prompts", "16");
        settings.put("comparisons.maxNewTokens", "40");
        settings.put("reward.epochs", "1");
        settings.put("reward.batch", "16");
        settings.put("ppo.iterations", "1");
        settings.put("ppo.rollout", "48");
        settings.put("ppo.minibatch", "48");
        settings.put("ppo.epochs", "1");
        settings.put("ppo.maxNewTokens", "40");
        return settings;
    }

    private static RecipeConfig config() {
        return ConfigFiles.set(TinyRun.config(), settings());
    }

    /** Its heap is touched before it begins and never grows, so that what the process grows by is native memory. */
    private Map<Stage, Long> measuredInAProcessOfItsOwn() throws IOException, InterruptedException {
        Path log = directory.resolve("log.txt");
        ProcessBuilder process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xms1g",
                        "-Xmx1g",
                        "-XX:+AlwaysPreTouch",
                        "-Dorg.bytedeco.javacpp.maxbytes=4g",
                        "-Dorg.bytedeco.javacpp.maxphysicalbytes=8g",
                        "--add-modules=jdk.incubator.vector",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Measuring.class.getName(),
                        directory.resolve("run").toString())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        process.environment().put("MALLOC_MMAP_THRESHOLD_", "131072"); // what is freed leaves the process
        assertThat(process.start().waitFor()).as(Files.readString(log)).isZero();
        Map<Stage, Long> grown = new EnumMap<>(Stage.class);
        for (String line : Files.readAllLines(log)) {
            if (line.startsWith(GREW)) {
                String[] words = line.substring(GREW.length()).split(" ");
                grown.put(Stage.valueOf(words[0]), Long.valueOf(words[1]));
            }
        }
        return grown;
    }

    /** Runs the recipe and prints what each stage took. */
    static final class Measuring {

        private Measuring() {}

        /** The argument is the run's directory. */
        public static void main(String[] arguments) throws IOException {
            measured(config(), Path.of(arguments[0]))
                    .forEach((stage, bytes) -> System.out.println(GREW + stage + " " + bytes));
        }
    }

    /** By how many bytes the process was larger than at the stage's beginning, at most. */
    private static Map<Stage, Long> measured(RecipeConfig config, Path directory) throws IOException {
        Map<Stage, Long> grown = new EnumMap<>(Stage.class);
        try (Sampler sampler = new Sampler()) {
            RunMonitor monitor = new RunMonitor() {
                @Override
                public void onStage(Stage stage, String detail) {
                    sampler.begin(stage, grown);
                }
            };
            RunDirectory run = new RunDirectory(directory);
            run.open(config, false);
            new Recipe(config, run, () -> TinyRun.DICTIONARY, monitor, new StopSignal()).run();
        }
        return grown;
    }

    /** Looks at the process every two milliseconds. */
    private static final class Sampler implements AutoCloseable {
        private final Thread thread = new Thread(this::look, "sampler");
        private Map<Stage, Long> into = Map.of();
        private Stage stage = Stage.TOKENIZER;
        private long base;
        private boolean closed;

        Sampler() {
            thread.setDaemon(true);
            thread.start();
        }

        synchronized void begin(Stage next, Map<Stage, Long> grown) {
            into = grown;
            stage = next;
            base = Pointer.physicalBytes();
            grown.put(next, 0L);
        }

        private synchronized boolean sample() {
            if (!into.isEmpty()) {
                into.merge(stage, Pointer.physicalBytes() - base, Math::max);
            }
            return !closed;
        }

        private void look() {
            try {
                while (sample()) {
                    Thread.sleep(2);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public synchronized void close() {
            closed = true;
        }
    }
}
