package io.github.rlhf4j.transformer.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.backend.ComputeBackend;
import io.github.rlhf4j.transformer.kernels.Kernels.AdamWStep;
import io.github.rlhf4j.transformer.kernels.Kernels.DecayedRange;
import io.github.rlhf4j.transformer.kernels.Kernels.TokenHeadGradient;
import io.github.rlhf4j.transformer.kernels.Kernels.TokenHeadKl;
import io.github.rlhf4j.transformer.kernels.Kernels.TokenHeadOutput;
import io.github.rlhf4j.transformer.model.Rotary;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The fused kernels are the ND4J kernels, in values and gradients. Both compute in float32 and add in different orders, so
 * the bound is some units in the last place of the largest element: a result is a sum of up to a few hundred products of
 * that size.
 */
class FusedKernelsTest {

    /** 80 units in the last place of float32, relative to the largest element of the array. */
    private static final double ROUNDING = 1e-5;

    private static final int TRIES = 25;

    static {
        ComputeBackend.ensureSelected();
    }

    /** Numbers, and the kernels and memory a case runs with. */
    private record Case(Kernels kernels, Arena arena, RandomKey key) {

        /** Standard normal numbers in a view that does not start at the buffer's beginning. */
        INDArray normal(String name, long... shape) {
            arena.take(3);
            INDArray array = arena.take(shape);
            float[] values = new float[(int) array.length()];
            RandomKey here = key.child(name);
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) here.child(i).gaussian();
            }
            array.assign(Nd4j.createFromArray(values).reshape(shape));
            return array;
        }

        int[] below(String name, int bound, int count) {
            int[] values = new int[count];
            for (int i = 0; i < count; i++) {
                values[i] = key.child(name).child(i).below(bound);
            }
            return values;
        }
    }

    /** What a case computes. */
    private interface Computation {
        INDArray[] run(Case c);
    }

    private static float[][] run(Kernels kernels, long seed, Computation computation) {
        try (Arena arena = new Arena(DataType.FLOAT)) {
            INDArray[] results = computation.run(new Case(kernels, arena, RandomKey.of(seed)));
            return Arrays.stream(results)
                    .map(array -> array.dup().data().asFloat())
                    .toArray(float[][]::new);
        }
    }

    private static void bothAgree(long seed, Computation computation) {
        float[][] expected = run(new Nd4jKernels(), seed, computation);
        float[][] actual = run(new FusedKernels(), seed, computation);
        for (int r = 0; r < expected.length; r++) {
            assertThat(actual[r]).as("result " + r).hasSameSizeAs(expected[r]);
            double largest = 0;
            for (float x : expected[r]) {
                largest = Math.max(largest, Math.abs(x));
            }
            for (int i = 0; i < expected[r].length; i++) {
                assertThat((double) actual[r][i])
                        .as("result %d, element %d of %d, seed %d", r, i, expected[r].length, seed)
                        .isCloseTo(expected[r][i], within(ROUNDING * Math.max(1, largest)));
            }
        }
        assertThat(run(new FusedKernels(), seed, computation))
                .as("same bits again")
                .isDeepEqualTo(actual);
    }

    @Property(tries = TRIES)
    void columns(
            @ForAll @IntRange(min = 1, max = 150) int n,
            @ForAll @IntRange(min = 1, max = 150) int m,
            @ForAll long seed) {
        int first = Math.floorMod(seed, m);
        int count = 1 + Math.floorMod(seed >> 8, m - first);
        bothAgree(seed, c -> {
            INDArray matrix = c.normal("matrix", n, m);
            INDArray part = c.normal("part", n, count);
            INDArray copy = c.normal("copy", n, count);
            c.kernels().copyColumns(matrix, first, copy);
            c.kernels().addColumns(part, matrix, first);
            return new INDArray[] {matrix, copy};
        });
    }

    @Property(tries = TRIES)
    void linear(
            @ForAll @IntRange(min = 1, max = 150) int n,
            @ForAll @IntRange(min = 1, max = 150) int m,
            @ForAll @IntRange(min = 1, max = 60) int k,
            @ForAll long seed) {
        linearAgrees(n, m, k, seed);
    }

    /** Shapes that are cut into parts: few rows of many columns into ranges of columns, many rows into ranges of rows. */
    @Property(tries = 8)
    void linearInParts(@ForAll @IntRange(min = 500, max = 1700) int side, @ForAll boolean wide, @ForAll long seed) {
        linearAgrees(wide ? 37 : side, wide ? side : 45, 19, seed);
    }

    private static void linearAgrees(int n, int m, int k, long seed) {
        bothAgree(seed, c -> {
            INDArray in = c.normal("in", n, k);
            INDArray weight = c.normal("weight", k, m);
            INDArray out = c.normal("out", n, m);
            c.kernels().linear(in, weight, c.normal("bias", m), out);
            INDArray sum = c.normal("sum", n, m);
            c.kernels().addLinear(in, weight, c.normal("bias", m), sum);
            INDArray dIn = c.normal("dIn", n, k);
            INDArray dWeight = c.normal("dWeight", k, m);
            INDArray dBias = c.normal("dBias", m);
            c.kernels().linearBackward(c.normal("dOut", n, m), in, weight, dIn, dWeight, dBias, c.arena());
            return new INDArray[] {out, sum, dIn, dWeight, dBias};
        });
    }

    /** Without biases, and of a weight that is not trained. */
    @Property(tries = TRIES)
    void linearWithoutBias(
            @ForAll @IntRange(min = 1, max = 150) int n,
            @ForAll @IntRange(min = 1, max = 600) int m,
            @ForAll long seed) {
        bothAgree(seed, c -> {
            INDArray in = c.normal("in", n, 31);
            INDArray weight = c.normal("weight", 31, m);
            INDArray out = c.normal("out", n, m);
            c.kernels().linear(in, weight, null, out);
            INDArray sum = c.normal("sum", n, m);
            c.kernels().addLinear(in, weight, null, sum);
            INDArray dIn = c.normal("dIn", n, 31);
            c.kernels().linearBackward(c.normal("dOut", n, m), in, weight, dIn, null, null, c.arena());
            return new INDArray[] {out, sum, dIn};
        });
    }

    @Property(tries = TRIES)
    void rmsNorm(
            @ForAll @IntRange(min = 1, max = 300) int n,
            @ForAll @IntRange(min = 2, max = 200) int m,
            @ForAll long seed) {
        bothAgree(seed, c -> {
            INDArray normalized = c.normal("normalized", n, m);
            INDArray inverse = c.normal("inverse", n);
            INDArray out = c.normal("out", n, m);
            INDArray gain = c.normal("gain", m);
            c.kernels().rmsNorm(c.normal("in", n, m), gain, 0.1, normalized, inverse, out, c.arena());
            INDArray again = c.normal("again", n, m);
            c.kernels().scaleAndShift(normalized, gain, null, again);
            INDArray dIn = c.normal("dIn", n, m);
            INDArray dGain = c.normal("dGain", m);
            INDArray dOut = c.normal("dOut", n, m);
            c.kernels().rmsNormBackward(dOut, gain, normalized, inverse, dIn, dGain, c.arena());
            c.kernels().rmsNormBackward(dOut, gain, normalized, inverse, dIn, null, c.arena());
            return new INDArray[] {normalized, inverse, out, again, dIn, dGain};
        });
    }

    @Property(tries = TRIES)
    void gatedUnits(
            @ForAll @IntRange(min = 1, max = 200) int n,
            @ForAll @IntRange(min = 1, max = 90) int f,
            @ForAll Kernels.Gate gate,
            @ForAll long seed) {
        bothAgree(seed, c -> {
            INDArray in = c.normal("in", n, 2 * f);
            INDArray out = c.normal("out", n, f);
            c.kernels().gated(gate, in, out, c.arena());
            INDArray dIn = c.normal("dIn", n, 2 * f);
            c.kernels().gatedBackward(gate, c.normal("dOut", n, f), in, dIn, c.arena());
            return new INDArray[] {out, dIn};
        });
    }

    @Property(tries = TRIES)
    void rotary(
            @ForAll @IntRange(min = 1, max = 100) int n,
            @ForAll @IntRange(min = 1, max = 3) int groups,
            @ForAll @IntRange(min = 1, max = 3) int heads,
            @ForAll @IntRange(min = 1, max = 20) int half,
            @ForAll long seed) {
        AttentionShape shape = new AttentionShape(groups * heads, heads, 2 * half);
        RotaryAngles angles = new RotaryAngles(Rotary.of(100).frequencies(2 * half));
        bothAgree(seed, c -> {
            int[] positions = c.below("positions", 700, n);
            INDArray turned = c.normal("qkv", n, shape.rowWidth());
            INDArray back = c.normal("dQkv", n, shape.rowWidth());
            c.kernels().rotate(shape, turned, positions, angles, c.arena());
            c.kernels().rotateBackward(shape, back, positions, angles, c.arena());
            return new INDArray[] {turned, back};
        });
    }

    /** Scores of turned queries and keys depend on how far apart they are, and on nothing else (Su et al. 2021 §3.1). */
    @Property(tries = TRIES)
    void rotatedScoresDependOnTheDistanceAlone(
            @ForAll @IntRange(min = 0, max = 300) int shift, @ForAll @IntRange(min = 0, max = 50) int distance) {
        AttentionShape shape = AttentionShape.multiHead(1, 8);
        RotaryAngles angles = new RotaryAngles(Rotary.of(100).frequencies(8));
        float[][] rows = run(new FusedKernels(), 5, c -> {
            INDArray near = c.normal("qkv", 1, 24);
            INDArray far = c.normal("qkv", 1, 24);
            INDArray key = c.normal("qkv", 1, 24);
            INDArray farKey = c.normal("qkv", 1, 24);
            c.kernels().rotate(shape, near, new int[] {distance}, angles, c.arena());
            c.kernels().rotate(shape, key, new int[] {0}, angles, c.arena());
            c.kernels().rotate(shape, far, new int[] {shift + distance}, angles, c.arena());
            c.kernels().rotate(shape, farKey, new int[] {shift}, angles, c.arena());
            return new INDArray[] {near, key, far, farKey};
        });
        assertThat(queryTimesKey(rows[2], rows[3], 8)).isCloseTo(queryTimesKey(rows[0], rows[1], 8), within(1e-4));
    }

    private static double queryTimesKey(float[] query, float[] key, int size) {
        double sum = 0;
        for (int i = 0; i < size; i++) {
            sum += query[i] * key[size + i];
        }
        return sum;
    }

    @Property(tries = TRIES)
    void layerNorm(
            @ForAll @IntRange(min = 1, max = 300) int n,
            @ForAll @IntRange(min = 2, max = 200) int m,
            @ForAll long seed) {
        bothAgree(seed, c -> {
            INDArray normalized = c.normal("normalized", n, m);
            INDArray inverse = c.normal("inverse", n);
            INDArray out = c.normal("out", n, m);
            INDArray gain = c.normal("gain", m);
            c.kernels()
                    .layerNorm(
                            c.normal("in", n, m), gain, c.normal("bias", m), 0.1, normalized, inverse, out, c.arena());
            INDArray dIn = c.normal("dIn", n, m);
            INDArray dGain = c.normal("dGain", m);
            INDArray dBias = c.normal("dBias", m);
            c.kernels()
                    .layerNormBackward(c.normal("dOut", n, m), gain, normalized, inverse, dIn, dGain, dBias, c.arena());
            return new INDArray[] {normalized, inverse, out, dIn, dGain, dBias};
        });
    }

    @Property(tries = TRIES)
    void gelu(
            @ForAll @IntRange(min = 1, max = 200) int n,
            @ForAll @IntRange(min = 1, max = 200) int m,
            @ForAll long seed) {
        bothAgree(seed, c -> {
            INDArray in = c.normal("in", n, m).muli(3);
            INDArray out = c.normal("out", n, m);
            c.kernels().gelu(in, out, c.arena());
            INDArray dIn = c.normal("dIn", n, m);
            c.kernels().geluBackward(c.normal("dOut", n, m), in, dIn, c.arena());
            return new INDArray[] {out, dIn};
        });
    }

    @Property(tries = TRIES)
    void embeddingGatherAndScatter(
            @ForAll @IntRange(min = 1, max = 300) int n,
            @ForAll @IntRange(min = 1, max = 90) int m,
            @ForAll @IntRange(min = 1, max = 40) int places,
            @ForAll long seed) {
        bothAgree(seed, c -> {
            int[] tokens = c.below("tokens", places, n);
            int[] positions = c.below("positions", 7, n);
            INDArray tokenTable = c.normal("tokenTable", places, m);
            INDArray positionTable = c.normal("positionTable", 7, m);
            INDArray out = c.normal("out", n, m);
            c.kernels().embed(tokens, positions, tokenTable, positionTable, out, c.arena());
            INDArray dTokens = c.normal("dTokens", places, m);
            INDArray dPositions = c.normal("dPositions", 7, m);
            c.kernels().embedBackward(c.normal("dOut", n, m), tokens, positions, dTokens, dPositions, c.arena());
            INDArray gathered = c.normal("gathered", n, m);
            c.kernels().gatherRows(dTokens, tokens, gathered);
            return new INDArray[] {out, dTokens, dPositions, gathered};
        });
    }

    @Property(tries = TRIES)
    void tokenHead(
            @ForAll @IntRange(min = 1, max = 60) int n,
            @ForAll @IntRange(min = 1, max = 700) int vocabulary,
            @ForAll @IntRange(min = 1, max = 40) int width,
            @ForAll boolean entropies,
            @ForAll boolean kl,
            @ForAll long seed) {
        bothAgree(seed, c -> {
            INDArray dHidden = c.normal("dHidden", n, width);
            INDArray dTable = c.normal("dTable", vocabulary, width);
            double[] logProbs = new double[n];
            double[] entropy = entropies ? new double[n] : null;
            double[] g = c.normal("g", n).dup().data().asDouble();
            double[] z = vocabulary % 2 == 0 ? c.normal("z", n).dup().data().asDouble() : null;
            double[] logNormalizers = new double[n];
            double[] h = entropies ? c.normal("h", n).dup().data().asDouble() : null;
            double[] kls = new double[n];
            double[] k = kl ? c.normal("k", n).dup().data().asDouble() : null;
            TokenHeadKl toReference =
                    kl ? new TokenHeadKl(c.normal("other", n, 3), c.normal("otherTable", vocabulary, 3), kls) : null;
            c.kernels()
                    .tokenHead(
                            c.normal("hidden", n, width),
                            c.normal("table", vocabulary, width),
                            c.below("targets", vocabulary, n),
                            0.7 + width / 10.0,
                            new TokenHeadOutput(logProbs, entropy, logNormalizers, toReference),
                            new TokenHeadGradient(g, h, z, k, dHidden, dTable),
                            c.arena());
            return new INDArray[] {
                dHidden,
                dTable,
                Nd4j.createFromArray(logProbs).castTo(DataType.FLOAT),
                Nd4j.createFromArray(logNormalizers).castTo(DataType.FLOAT),
                Nd4j.createFromArray(kls).castTo(DataType.FLOAT),
                Nd4j.createFromArray(entropy == null ? new double[1] : entropy).castTo(DataType.FLOAT)
            };
        });
    }

    @Property(tries = TRIES)
    void adamW(
            @ForAll @IntRange(min = 6, max = 40000) int count,
            @ForAll boolean clipped,
            @ForAll boolean decaying,
            @ForAll long seed) {
        bothAgree(seed, c -> {
            INDArray values = c.normal("values", count);
            INDArray gradients = c.normal("gradients", count);
            INDArray m = c.normal("m", count);
            INDArray v = c.normal("v", count);
            v.muli(v);
            INDArray norm = Nd4j.scalar((float) (c.kernels().norm(gradients) / Math.sqrt(count)));
            AdamWStep step = new AdamWStep(clipped ? 0.3 : 1, 0.9, 0.95, 1e-3, 0.01, 1.4, decaying ? 1 - 0.05 : 1);
            List<DecayedRange> decayed =
                    List.of(new DecayedRange(0, count / 3), new DecayedRange(count / 2, count - 1));
            c.kernels().adamW(step, values, gradients, m, v, decayed, c.arena());
            return new INDArray[] {norm, values, gradients, m, v};
        });
    }

    /** Rows between the first and the last element of a larger buffer are copied, and nothing beside them. */
    @Property(tries = TRIES)
    void hostMemoryReadsAndWritesExactlyTheView(
            @ForAll @IntRange(min = 0, max = 50) int offset, @ForAll @IntRange(min = 1, max = 50) int length) {
        INDArray buffer = Nd4j.arange(110).castTo(DataType.FLOAT);
        INDArray outer = Nd4j.create(buffer.data(), new long[] {105, 1}, new long[] {1, 1}, 5, 'c');
        INDArray view = Rows.slice(outer, offset, offset + length);
        float[] read = new float[length];
        HostMemory.read(view, read);
        for (int i = 0; i < length; i++) {
            assertThat(read[i]).isEqualTo(5 + offset + i);
            read[i] = -1;
        }
        HostMemory.write(view, read);
        for (int i = 0; i < 110; i++) {
            boolean inside = i >= 5 + offset && i < 5 + offset + length;
            assertThat(buffer.getFloat(i)).isEqualTo(inside ? -1f : i);
        }
        BiConsumer<Integer, Integer> outside = (at, count) -> assertThat(org.assertj.core.api.Assertions.catchThrowable(
                        () -> HostMemory.read(view, at, new float[200], 0, count)))
                .isInstanceOf(IndexOutOfBoundsException.class);
        outside.accept(0, length + 1);
        outside.accept(length, 1);
        outside.accept(-1, 1);
    }
}
