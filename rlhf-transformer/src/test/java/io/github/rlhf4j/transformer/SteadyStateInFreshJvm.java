package io.github.rlhf4j.transformer;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.kernels.FusedKernels;
import io.github.rlhf4j.transformer.model.Initialization;
import io.github.rlhf4j.transformer.model.ParameterStore;
import io.github.rlhf4j.transformer.model.Transformer;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataType;

/** What {@link SteadyStateTest} runs: ends with an error when a step takes memory. */
final class SteadyStateInFreshJvm {

    private static final TransformerConfig CONFIG = TransformerConfig.gpt2(64, 128, 64, 2, 4);
    private static final int WARM_UP = 6;
    private static final int STEPS = 5;

    /** Loops on the Vector API box their vectors until the compiler has seen them often enough. */
    private static final int MOST_STEPS = 300;

    /**
     * Bytes of Java's heap that a step may take for each of its tokens (ids, positions, rows, targets, upstream gradients and
     * log-probabilities, some twice), and beside them (views, tasks, records). An object for each row and head is over it.
     */
    private static final long BYTES_PER_TOKEN = 200;

    private static final long BYTES = 200_000;

    /**
     * Native bytes of a step that JavaCPP counts until the collector finds their owners: what ND4J's two operations of a step,
     * both of which clear an array, tell native code. Less than the smallest array of a batch here.
     */
    private static final long NATIVE_BYTES = 700;

    public static void main(String[] args) {
        SteadyStateInFreshJvm ofOneShape = new SteadyStateInFreshJvm();
        ofOneShape.build();
        ofOneShape.stepsOfOneShapeTakeNothing();
        ofOneShape.close();

        SteadyStateInFreshJvm ragged = new SteadyStateInFreshJvm();
        ragged.build();
        ragged.raggedStepsBelowTheLargestTakeNothing();
        ragged.close();
        System.exit(0); // the kernels' threads are daemons, ND4J's are not
    }

    private ModelCore core;
    private TransformerPolicy policy;

    void build() {
        ParameterStore store = Transformer.declare(CONFIG).allocate(DataType.FLOAT);
        core = new ModelCore(CONFIG, AdamWConfig.gpt3(), store, new FusedKernels());
        policy = new TransformerPolicy(core, TestModels.ids(CONFIG.vocabularySize()));
        Initialization.gpt2(store, CONFIG, RandomKey.of(1));
    }

    void close() {
        policy.close();
    }

    private static SequenceBatch batch(int... lengths) {
        return new SequenceBatch(IntStream.range(0, lengths.length)
                .mapToObj(i -> ScoredSequence.ofText(TestModels.sequence(i, lengths[i], CONFIG.vocabularySize())))
                .toList());
    }

    private void train(SequenceBatch batch, int steps) {
        double[][] weights = batch.sequences().stream()
                .map(sequence -> filled(sequence.scoredCount(), 1.0 / batch.scoredCount()))
                .toArray(double[][]::new);
        for (int i = 0; i < steps; i++) {
            policy.accumulate(batch, weights, null);
            policy.update(1e-4);
        }
    }

    private static double[] filled(int length, double value) {
        double[] filled = new double[length];
        Arrays.fill(filled, value);
        return filled;
    }

    /** Bytes that all living threads have ever taken. */
    private static long heapBytes() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        return Arrays.stream(threads.getThreadAllocatedBytes(threads.getAllThreadIds()))
                .filter(bytes -> bytes > 0)
                .sum();
    }

    private void takesNothing(SequenceBatch batch) {
        train(batch, 1);
        long blocks = core.arenaAllocations();
        long nativeBytes = Pointer.totalBytes();
        train(batch, STEPS);

        assertThat(core.arenaAllocations()).as("blocks of the arena").isEqualTo(blocks);
        assertThat(Pointer.totalBytes()).as("native bytes").isLessThan(nativeBytes + STEPS * NATIVE_BYTES);
        long tokens =
                batch.sequences().stream().mapToLong(ScoredSequence::length).sum();
        assertThat(leastHeap(batch, BYTES + BYTES_PER_TOKEN * tokens))
                .as("bytes of Java's heap a step")
                .isLessThan(BYTES + BYTES_PER_TOKEN * tokens);
    }

    /** The fewest bytes that a step took, of those until one takes less than {@code enough}. */
    private long leastHeap(SequenceBatch batch, long enough) {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < MOST_STEPS && least >= enough; i++) {
            long before = heapBytes();
            train(batch, 1);
            least = Math.min(least, heapBytes() - before);
        }
        return least;
    }

    void stepsOfOneShapeTakeNothing() {
        SequenceBatch batch = batch(128, 128, 128, 128, 128, 128, 128, 128);
        train(batch, WARM_UP);
        takesNothing(batch);
    }

    void raggedStepsBelowTheLargestTakeNothing() {
        train(batch(128, 128, 128, 128, 128, 128, 128, 128), WARM_UP);
        train(batch(10, 20, 30), 1);
        takesNothing(batch(5, 128, 77, 33, 64, 127, 2, 96));
        takesNothing(batch(128, 1 + 1, 65));
    }
}
