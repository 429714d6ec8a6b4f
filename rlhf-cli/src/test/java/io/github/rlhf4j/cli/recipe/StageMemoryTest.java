package io.github.rlhf4j.cli.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.core.training.StopSignal;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What is foretold of a stage is what the process grows by while it runs, within a factor of two where models
 * train: sequences are shorter than the context, and buffers of libraries and files are not foretold.
 */
class StageMemoryTest {

    private static final List<Stage> TRAINING = List.of(Stage.PRETRAINING, Stage.SFT, Stage.REWARD, Stage.PPO);
    private static final List<Stage> SAMPLING = List.of(Stage.COMPARISONS, Stage.EVALUATION);
    private static final int HEAP_TOUCHED = 600 << 20;

    @TempDir
    Path directory;

    @Test
    void eachStageTakesWhatWasForetold() throws IOException {
        RecipeConfig config = ConfigFiles.set(TinyRun.config(), settings());
        StageMemory foretold = new StageMemory(config, config.comparisons().samplesPerPrompt());
        touchHeap();
        Map<Stage, Long> grown = measured(config);

        Map<Stage, Double> ratios = new EnumMap<>(Stage.class);
        grown.forEach((stage, bytes) -> ratios.put(
                stage, bytes / (double) Math.max(1, foretold.of(stage).offHeap())));
        assertThat(TRAINING)
                .as("measured / foretold: %s, measured: %s", ratios, grown)
                .allMatch(stage -> ratios.get(stage) > 0.5 && ratios.get(stage) < 2);
        assertThat(SAMPLING)
                .as("foretold for 64 distinct prompts as long as the context: %s", ratios)
                .allMatch(stage -> ratios.get(stage) > 0.05 && ratios.get(stage) < 2);
    }

    /** Large enough for tensors to outweigh all else, with batches that fill a pass. */
    private static Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("model.width", "256");
        settings.put("model.layers", "4");
        settings.put("memory.microBatchTokens", "2048");
        settings.put("pretraining.steps", "2");
        settings.put("pretraining.batch", "24");
        settings.put("sft.demonstrations", "96");
        settings.put("sft.batch", "64");
        settings.put("comparisons.prompts", "20");
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

    /** Touched once, the heap's pages stay, so that what the process grows by afterwards is native memory. */
    private static void touchHeap() {
        byte[][] pages = new byte[HEAP_TOUCHED >> 20][1 << 20];
        Arrays.stream(pages).forEach(page -> Arrays.fill(page, (byte) 1));
        assertThat(pages[0][1]).isOne();
    }

    /** By how many bytes the process was larger than at the stage's beginning, at most. */
    private Map<Stage, Long> measured(RecipeConfig config) throws IOException {
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
