package io.github.rlhf4j.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.generation.DecodingSession;
import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.model.Recomputation;
import io.github.rlhf4j.transformer.model.Transformer;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;

/** What is foretold is what buffers and arenas then take. */
class MemoryEstimateTest {

    private static final Percentage CLOSE = Percentage.withPercentage(25);
    private static final MemoryLimit SMALL = new MemoryLimit(1L << 30, "a test");

    private static ModelCore core(TransformerConfig config) {
        return new ModelCore(
                config,
                AdamWConfig.gpt3(),
                Transformer.declare(config).allocate(DataType.FLOAT),
                Kernels.select(DataType.FLOAT));
    }

    private static SequenceBatch batch(TransformerConfig config, int sequences, int length) {
        return new SequenceBatch(IntStream.range(0, sequences)
                .mapToObj(i -> ScoredSequence.ofText(TestModels.sequence(i, length + 1, config.vocabularySize())))
                .toList());
    }

    private static TransformerConfig config(int vocabulary, int width, int layers, int feedForward, double dropout) {
        return TransformerConfig.gpt2(vocabulary, 128, width, layers, width / 32)
                .withFeedForwardWidth(feedForward)
                .withDropout(dropout);
    }

    @ParameterizedTest
    @CsvSource({
        "  500, 128,  4,  512, 0.0, 16, 100, NONE",
        "  500, 128,  4,  512, 0.0, 16, 100, BLOCKS",
        "  500, 128,  4,  512, 0.1, 16, 100, NONE",
        "  500, 128,  4,  512, 0.1, 16, 100, BLOCKS",
        " 9000,  64,  2,  256, 0.0, 30, 128, NONE",
        " 9000,  64,  2,  256, 0.0, 30, 128, BLOCKS",
        "30000,  64,  1,   64, 0.0,  9, 128, NONE",
        "  300, 256,  8, 1024, 0.0,  4, 128, NONE",
        "  300, 256,  8, 1024, 0.0,  4, 128, BLOCKS",
        "  300, 256,  3,  300, 0.0,  1,  90, NONE",
    })
    void training(
            int vocabulary,
            int width,
            int layers,
            int feedForward,
            double dropout,
            int sequences,
            int length,
            Recomputation recomputation) {
        TransformerConfig config = config(vocabulary, width, layers, feedForward, dropout);
        MemoryEstimate estimate = MemoryEstimate.training(config, (long) sequences * length, recomputation);
        try (ModelCore core = core(config)) {
            core.setRecomputation(recomputation);
            TransformerPolicy policy = new TransformerPolicy(core, TestModels.ids(vocabulary));
            SequenceBatch batch = batch(config, sequences, length);
            double[][] weights = new double[sequences][length];
            Arrays.stream(weights).forEach(row -> Arrays.fill(row, 1e-3));
            for (int step = 0; step < 2; step++) {
                policy.accumulate(batch, weights, TestModels.keys(RandomKey.of(step), sequences));
                policy.update(1e-3);
            }
            assertThat(estimate.weights() + estimate.gradients())
                    .isEqualTo(core.store().bytes());
            assertThat(estimate.moments()).isEqualTo(core.store().bytes());
            assertThat(core.arenaBytes())
                    .as("%s", estimate)
                    .isCloseTo(estimate.activations() + estimate.workspace(), CLOSE);
        }
    }

    @ParameterizedTest
    @CsvSource({"500, 128, 4, 512, 100", "9000, 64, 2, 256, 30", "300, 512, 2, 4096, 40"})
    void scoring(int vocabulary, int width, int layers, int feedForward, int sequences) {
        TransformerConfig config = config(vocabulary, width, layers, feedForward, 0.1);
        MemoryEstimate estimate = MemoryEstimate.scoring(config, sequences * 128L);
        try (ModelCore core = core(config)) {
            TransformerPolicy policy = new TransformerPolicy(core, TestModels.ids(vocabulary));
            for (int pass = 0; pass < 2; pass++) {
                policy.score(batch(config, sequences, 127));
            }
            assertThat(core.arenaBytes()).as("%s", estimate).isCloseTo(estimate.workspace(), CLOSE);
            assertThat(core.store().bytes())
                    .as("weights alone: nothing went backward")
                    .isEqualTo(MemoryEstimate.frozen(config).tensors());
        }
    }

    @Test
    void decodingKeepsPackedWeightsKeysAndValuesOnTheHeap() {
        TransformerConfig config = config(9000, 256, 6, 1024, 0);
        MemoryEstimate estimate = MemoryEstimate.generation(config, 32, 120);
        heapOfDecoding(config); // what earlier tests left to soft references goes when memory is asked for
        assertThat(heapOfDecoding(config)).as("%s", estimate).isCloseTo(estimate.onHeap(), CLOSE);
    }

    /** What a new model's session over 32 prompts of 120 tokens adds to the heap. */
    private static long heapOfDecoding(TransformerConfig config) {
        try (ModelCore core = core(config)) {
            TransformerPolicy policy = new TransformerPolicy(core, TestModels.ids(config.vocabularySize()));
            long before = usedHeap();
            try (DecodingSession session = policy.openSession()) {
                session.start(IntStream.range(0, 32)
                        .mapToObj(i -> TestModels.sequence(i, 120, config.vocabularySize()))
                        .toList());
                return usedHeap() - before;
            }
        }
    }

    /** What is left when another collection frees nothing more: what earlier tests left behind may need several. */
    private static long usedHeap() {
        long used = Long.MAX_VALUE;
        for (int collections = 0; collections < 20; collections++) {
            System.gc();
            long left =
                    Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
            if (left > used - 100_000) {
                return left;
            }
            used = left;
        }
        return used;
    }

    @Test
    void recomputationTradesTheActivationsOfAllLayersForThoseOfOne() {
        TransformerConfig config = TransformerConfig.gpt2Small();
        MemoryEstimate all = MemoryEstimate.training(config, 1024, Recomputation.NONE);
        MemoryEstimate recomputed = MemoryEstimate.training(config, 1024, Recomputation.BLOCKS);
        double c = 1024 * 768 * 4.0;
        assertThat(all.activations()).isCloseTo((long) (c * (12 * 10 + 3)), within(200_000L));
        assertThat(recomputed.activations()).isCloseTo((long) (c * (12 + 3)), within(200_000L));
        assertThat(recomputed.workspace() - all.workspace()).isCloseTo((long) (10 * c), within(200_000L));
    }

    @Test
    void theKeyValueCacheHoldsTwoVectorsALayerAndToken() {
        assertThat(MemoryEstimate.generation(TransformerConfig.gpt2Small(), 32, 100)
                        .keyValueCache())
                .as("room for 128 positions, as it grows by 64")
                .isEqualTo(32L * 128 * 2 * 768 * 12 * 4);
    }

    @Test
    void estimatesAddUpAndReadAsALine() {
        MemoryEstimate policy = MemoryEstimate.training(TransformerConfig.gpt2Small(), 1024, Recomputation.NONE);
        MemoryEstimate reference = MemoryEstimate.frozen(TransformerConfig.gpt2Small());
        assertThat(policy.plus(reference).tensors()).isEqualTo(policy.tensors() + reference.tensors());
        assertThat(reference).hasToString("about 0.8 GiB: weights 475 MiB, Java and libraries 320 MiB");
        assertThat(policy.toString()).startsWith("about 2.6 GiB: weights 475 MiB, gradients 475 MiB, Adam's moments");
    }

    @Test
    void workThatDoesNotFitIsRefusedWithWhatToLower() {
        MemoryEstimate policy = MemoryEstimate.training(TransformerConfig.gpt2Small(), 1024, Recomputation.NONE);
        assertThatThrownBy(() -> policy.requireFits(SMALL, "Lower the width."))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("this needs about 2.6 GiB: weights 475 MiB")
                .hasMessageContaining("may use 1.0 GiB, by a test. Lower the width.");
        TransformerConfig huge = TransformerConfig.gpt2(50257, 1024, 16384, 96, 128);
        assertThatThrownBy(() -> MemoryEstimate.training(huge, 1 << 20, Recomputation.BLOCKS)
                        .requireFits())
                .hasMessageContainingAll("tokens of a micro-batch", "width", "layers", "setRecomputation");
        assertThatCode(() -> MemoryEstimate.frozen(TransformerConfig.gpt2(300, 64, 32, 1, 1))
                        .requireFits(SMALL, ""))
                .doesNotThrowAnyException();
    }

    @Test
    void theLimitIsTheLeastOfMachineAndSetting() {
        MemoryLimit limit = MemoryLimit.ofProcess();
        assertThat(limit.bytes()).isPositive();
        assertThat(limit.reason()).isIn("the machine's memory", "-Dorg.bytedeco.javacpp.maxphysicalbytes");
    }
}
