package io.github.rlhf4j.benchmarks.kernels;

import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.backend.ComputeBackend;
import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.AttentionShape;
import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.kernels.PackedTokens;
import io.github.rlhf4j.transformer.kernels.RotaryAngles;
import io.github.rlhf4j.transformer.model.Rotary;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The kernels at the shapes of a training step of GPT-2 124M, 4 × 256 tokens: the fused ones beside ND4J's. Started without
 * {@code --add-modules=jdk.incubator.vector}, the fused ones run their scalar loops.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class KernelBenchmark {

    private static final int SEQUENCES = 4;
    private static final int LENGTH = 256;
    private static final int ROWS = SEQUENCES * LENGTH;
    private static final int WIDTH = 768;
    private static final AttentionShape HEADS = AttentionShape.multiHead(12, 64);
    private static final int VOCABULARY = 50_257;
    private static final int SCORED = 128;
    private static final int PARAMETERS = 16_000_000;

    /** Which kernels. */
    @Param({"fused", "nd4j"})
    public String kernels = "fused";

    private Kernels k = Kernels.select(DataType.FLOAT);
    private final Arena arena = new Arena(DataType.FLOAT);
    private final INDArray narrow = random(ROWS, WIDTH);
    private final INDArray narrowOut = random(ROWS, WIDTH);
    private final INDArray narrowGradient = random(ROWS, WIDTH);
    private final INDArray wide = random(ROWS, 4 * WIDTH);
    private final INDArray wideOut = random(ROWS, 4 * WIDTH);
    private final INDArray qkv = random(ROWS, 3 * WIDTH);
    private final INDArray qkvGradient = random(ROWS, 3 * WIDTH);
    private final INDArray weight = random(WIDTH, 4 * WIDTH);
    private final INDArray weightGradient = random(WIDTH, 4 * WIDTH);
    private final INDArray bias = random(4 * WIDTH);
    private final INDArray biasGradient = random(4 * WIDTH);
    private final INDArray halfOut = random(ROWS, 2 * WIDTH);
    private final INDArray gain = random(WIDTH);
    private final INDArray offset = random(WIDTH);
    private final INDArray normalized = random(ROWS, WIDTH);
    private final INDArray inverseDeviation = random(ROWS);
    private final INDArray table = random(VOCABULARY, WIDTH);
    private final INDArray tableGradient = random(VOCABULARY, WIDTH);
    private final INDArray hidden = random(SCORED, WIDTH);
    private final INDArray hiddenGradient = random(SCORED, WIDTH);
    private final INDArray values = random(PARAMETERS);
    private final INDArray gradients = random(PARAMETERS);
    private final INDArray firstMoment = Nd4j.zeros(DataType.FLOAT, PARAMETERS);
    private final INDArray secondMoment = Nd4j.zeros(DataType.FLOAT, PARAMETERS);
    private final RotaryAngles angles = new RotaryAngles(Rotary.of(10_000).frequencies(64));
    private final int[] targets = IntStream.range(0, SCORED).toArray();
    private final PackedTokens packed =
            PackedTokens.of(Collections.nCopies(SEQUENCES, TokenSequence.of(new int[LENGTH])), VOCABULARY, LENGTH);

    private static INDArray random(long... shape) {
        ComputeBackend.ensureSelected();
        INDArray array = Nd4j.create(DataType.FLOAT, shape);
        RandomKey key = RandomKey.of(1);
        INDArray flat = array.reshape(array.length());
        for (long i = 0; i < Math.min(flat.length(), 4096); i++) {
            flat.putScalar(i, key.child(i).gaussian());
        }
        return array;
    }

    /** Chooses the kernels as the library does. */
    @Setup
    public void select() {
        System.setProperty("rlhf4j.kernels", kernels);
        k = Kernels.select(DataType.FLOAT);
    }

    /** The feed-forward layer's first product, {@code [1024, 768] · [768, 3072]}. */
    @Benchmark
    public void linear(Traffic traffic) {
        k.linear(narrow, weight, bias, wideOut);
        traffic.product(ROWS, WIDTH, 4 * WIDTH);
    }

    /** Both gradients of {@link #linear}. */
    @Benchmark
    public void linearBackward(Traffic traffic) {
        k.linearBackward(wide, narrow, weight, narrowGradient, weightGradient, biasGradient, arena);
        traffic.product(2 * ROWS, WIDTH, 4 * WIDTH);
    }

    /** GELU over {@code [1024, 3072]}. */
    @Benchmark
    public void gelu(Traffic traffic) {
        k.gelu(wide, wideOut, arena);
        traffic.floats(2 * wide.length());
    }

    /** The gradient of {@link #gelu}. */
    @Benchmark
    public void geluBackward(Traffic traffic) {
        k.geluBackward(wide, wide, wideOut, arena);
        traffic.floats(2 * wide.length());
    }

    /** LayerNorm of {@code [1024, 768]}. */
    @Benchmark
    public void layerNorm(Traffic traffic) {
        k.layerNorm(narrow, gain, offset, 1e-5, normalized, inverseDeviation, narrowOut, arena);
        traffic.floats(3 * narrow.length());
    }

    /** RMSNorm of {@code [1024, 768]}. */
    @Benchmark
    public void rmsNorm(Traffic traffic) {
        k.rmsNorm(narrow, gain, 1e-5, normalized, inverseDeviation, narrowOut, arena);
        traffic.floats(3 * narrow.length());
    }

    /** SwiGLU of {@code [1024, 2·1536]}. */
    @Benchmark
    public void swiglu(Traffic traffic) {
        k.gated(Kernels.Gate.SILU, wide, halfOut, arena);
        traffic.floats(wide.length() + halfOut.length());
    }

    /** Rotary positions of queries and keys in {@code [1024, 3·768]}, in place. */
    @Benchmark
    public void rotary(Traffic traffic) {
        k.rotate(HEADS, qkv, packed.positions(), angles, arena);
        traffic.floats(4 * narrow.length());
    }

    /** Causal attention of four sequences of 256 tokens, 12 heads: two products per head with the softmax between them. */
    @Benchmark
    public void attention(Traffic traffic) {
        k.attention(packed, HEADS, qkv, narrowOut, arena);
        traffic.product(2L * SEQUENCES * LENGTH, WIDTH, LENGTH / 2);
    }

    /** The gradient of {@link #attention}, the softmax computed again: five products. */
    @Benchmark
    public void attentionBackward(Traffic traffic) {
        k.attentionBackward(packed, HEADS, narrow, qkv, qkvGradient, arena);
        traffic.product(5L * SEQUENCES * LENGTH, WIDTH, LENGTH / 2);
    }

    /** Log-probabilities of 128 tokens under a vocabulary of 50,257, and all gradients: three products. */
    @Benchmark
    public void tokenHead(Traffic traffic) {
        double[] upstream = new double[SCORED];
        upstream[0] = 1;
        k.tokenHead(
                hidden,
                table,
                targets,
                1,
                new Kernels.TokenHeadOutput(new double[SCORED], null),
                new Kernels.TokenHeadGradient(upstream, null, hiddenGradient, tableGradient),
                arena);
        traffic.product(3 * SCORED, WIDTH, VOCABULARY);
    }

    /** One update of 16 million parameters: four buffers read, four written. */
    @Benchmark
    public void adamW(Traffic traffic) {
        k.adamW(
                new Kernels.AdamWStep(1, 0.9, 0.95, 1e-8, 1e-6, 1, 1),
                values,
                gradients,
                firstMoment,
                secondMoment,
                List.of(new Kernels.DecayedRange(0, PARAMETERS)),
                arena);
        traffic.floats(8L * PARAMETERS);
    }
}
