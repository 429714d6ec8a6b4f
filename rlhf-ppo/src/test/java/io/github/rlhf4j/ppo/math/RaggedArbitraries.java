package io.github.rlhf4j.ppo.math;

import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;

/** Ragged matrices for properties. */
final class RaggedArbitraries {

    private RaggedArbitraries() {}

    /**
     * As many matrices of one shape as asked for, each with 1 to 4 rows of 1 to 5 entries in [−limit, limit] on a grid
     * of thousandths, as {@code double[matrix][row][entry]}.
     */
    static Arbitrary<double[][][]> sameShape(int matrices, double limit) {
        return Arbitraries.integers()
                .between(1, 5)
                .array(int[].class)
                .ofMinSize(1)
                .ofMaxSize(4)
                .flatMap(lengths -> {
                    int total = java.util.Arrays.stream(lengths).sum();
                    int bound = (int) (limit * 1000);
                    return Arbitraries.integers()
                            .between(-bound, bound)
                            .map(x -> x / 1000.0)
                            .array(Double[].class)
                            .ofSize(total * matrices)
                            .map(flat -> split(flat, lengths, matrices));
                });
    }

    private static double[][][] split(Double[] flat, int[] lengths, int matrices) {
        double[][][] result = new double[matrices][lengths.length][];
        int next = 0;
        for (double[][] matrix : result) {
            for (int i = 0; i < lengths.length; i++) {
                matrix[i] = new double[lengths[i]];
                for (int t = 0; t < lengths[i]; t++) {
                    matrix[i][t] = flat[next++];
                }
            }
        }
        return result;
    }
}
