package io.github.rlhf4j.transformer;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.kernels.PackedTokens;
import io.github.rlhf4j.transformer.model.Recomputation;
import io.github.rlhf4j.transformer.model.Transformer;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** What nobody reads is not computed, and what is read does not depend on that. */
class ReadRowsTest {

    private static final int VOCABULARY = 29;
    private static final int[][] POSITIONS = {{6, 2}, {29}, {}, {0, 4, 6}};

    private static PackedTokens sequences() {
        return PackedTokens.of(
                List.of(
                        TestModels.sequence(1, 12, VOCABULARY),
                        TestModels.sequence(2, 30, VOCABULARY),
                        TestModels.sequence(3, 5, VOCABULARY),
                        TestModels.sequence(4, 7, VOCABULARY)),
                VOCABULARY,
                40);
    }

    private static TransformerPolicy policy(DataType type, double dropout) {
        TransformerConfig config =
                TransformerConfig.gpt2(VOCABULARY, 40, 24, 3, 3).withDropout(dropout);
        TransformerPolicy policy =
                TransformerPolicy.create(config, TestModels.ids(VOCABULARY), AdamWConfig.gpt3(), 1, type);
        TestModels.perturb(policy, 1);
        return policy;
    }

    @Test
    void fromTheFirstReadRowToTheLast() {
        ReadRows read = ReadRows.of(sequences(), POSITIONS);
        assertThat(lengths(read.packed().whole())).containsExactly(7, 30, 1, 7);
        assertThat(lengths(read.packed())).containsExactly(5, 1, 1, 7);
        assertThat(read.rows()).containsExactly(4, 0, 5, 7, 11, 13);
    }

    private static List<Integer> lengths(PackedTokens packed) {
        List<Integer> lengths = new ArrayList<>();
        for (int i = 0; i < packed.sequenceCount(); i++) {
            lengths.add(packed.length(i));
        }
        return lengths;
    }

    /** Hidden states and parameter gradients, against the pass over all rows of which the others get no gradient. */
    @ParameterizedTest
    @CsvSource({
        "DOUBLE, 0,   NONE",
        "DOUBLE, 0.2, NONE",
        "DOUBLE, 0.2, BLOCKS",
        "FLOAT,  0,   NONE",
        "FLOAT,  0.2, NONE",
        "FLOAT,  0.2, BLOCKS"
    })
    void passesOverReadRowsAreThoseOverAllRows(DataType type, double dropout, Recomputation recomputation) {
        PackedTokens whole = sequences();
        PackedTokens tails = whole.tails(new int[] {2, 29, 0, 6});
        double rounding = type == DataType.DOUBLE ? 1e-11 : 2e-4;
        try (TransformerPolicy policy = policy(type, dropout);
                Arena arena = new Arena(type)) {
            Kernels kernels = Kernels.select(type);
            Transformer trunk = new Transformer(policy.config(), policy.parameters(), kernels);
            List<RandomKey> keys = TestModels.keys(RandomKey.of(7), 4);

            Transformer.Pass some = trunk.forward(tails, keys, recomputation, arena);
            INDArray upstream = arena.take(some.hidden().shape());
            for (int i = 0; i < upstream.length(); i++) {
                upstream.putScalar(i, RandomKey.of(3).child(i).gaussian());
            }
            trunk.backward(some, upstream, arena);
            double[] gradients = policy.parameters().gradients().dup().data().asDouble();
            policy.parameters().clearGradients();

            Transformer.Pass all = trunk.forward(whole, keys, recomputation, arena);
            INDArray expected = arena.take(some.hidden().shape());
            kernels.gatherRows(all.hidden(), tails.rowsOfWhole(), expected);
            assertThat(furthest(numbers(some.hidden()), numbers(expected)))
                    .as("hidden")
                    .isLessThan(rounding);
            INDArray spread = arena.takeZeros(all.hidden().shape());
            kernels.scatterAddRows(upstream, tails.rowsOfWhole(), spread, arena);
            trunk.backward(all, spread, arena);
            assertThat(furthest(
                            gradients,
                            policy.parameters().gradients().dup().data().asDouble()))
                    .as("gradients")
                    .isLessThan(rounding);
        }
    }

    @Test
    void inferenceIsTheForwardPass() {
        try (TransformerPolicy policy = policy(DataType.FLOAT, 0);
                Arena arena = new Arena(DataType.FLOAT)) {
            Transformer trunk = new Transformer(policy.config(), policy.parameters(), Kernels.select(DataType.FLOAT));
            PackedTokens packed = ReadRows.of(sequences(), POSITIONS).packed();
            Transformer.Pass pass = trunk.forward(packed, null, Recomputation.NONE, arena);
            assertThat(numbers(trunk.infer(packed, null, arena))).containsExactly(numbers(pass.hidden()));
        }
    }

    /** GELU is where a block's rows are seen: 45 rows of three sequences and one, of which 14 are read or between such. */
    @Test
    void theLastBlockComputesReadRowsAlone() {
        List<Long> rows = new ArrayList<>();
        Kernels counting = counting(Kernels.select(DataType.FLOAT), rows);
        try (TransformerPolicy policy = policy(DataType.FLOAT, 0);
                Arena arena = new Arena(DataType.FLOAT)) {
            Transformer trunk = new Transformer(policy.config(), policy.parameters(), counting);
            PackedTokens packed = ReadRows.of(sequences(), POSITIONS).packed();
            Transformer.Pass pass = trunk.forward(packed, null, Recomputation.NONE, arena);
            assertThat(rows).containsExactly(45L, 45L, 14L);
            assertThat(pass.hidden().size(0)).isEqualTo(14);
            rows.clear();
            trunk.backward(pass, Nd4j.ones(DataType.FLOAT, 14, 24), arena);
            assertThat(rows).containsExactly(14L, 45L, 45L);
        }
    }

    private static Kernels counting(Kernels kernels, List<Long> rows) {
        return (Kernels) Proxy.newProxyInstance(
                Kernels.class.getClassLoader(), new Class<?>[] {Kernels.class}, (self, method, arguments) -> {
                    if (method.getName().equals("gelu")) {
                        rows.add(((INDArray) arguments[0]).size(0));
                    }
                    return method.invoke(kernels, arguments);
                });
    }

    /** The largest difference; infinity when there is a NaN. */
    private static double furthest(double[] actual, double[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        return IntStream.range(0, actual.length)
                .mapToDouble(i -> Math.abs(actual[i] - expected[i]))
                .map(difference -> Double.isNaN(difference) ? Double.POSITIVE_INFINITY : difference)
                .max()
                .orElse(0);
    }

    private static double[] numbers(INDArray array) {
        return array.dup().data().asDouble();
    }
}
