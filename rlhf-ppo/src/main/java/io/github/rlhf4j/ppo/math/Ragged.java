package io.github.rlhf4j.ppo.math;

import java.util.Arrays;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;

/** Ragged matrices {@code double[sequence][token]}: the few operations that everything here is written with. */
public final class Ragged {

    private Ragged() {}

    /** Number of tokens of each row. */
    public static int[] lengths(double[][] rows) {
        return Arrays.stream(rows).mapToInt(row -> row.length).toArray();
    }

    /** Number of tokens of all rows together. */
    public static long count(double[][] rows) {
        return Arrays.stream(rows).mapToLong(row -> row.length).sum();
    }

    /** Sum over all tokens. */
    public static double sum(double[][] rows) {
        double sum = 0;
        for (double[] row : rows) {
            sum += sum(row);
        }
        return sum;
    }

    /** Sum over one row. */
    public static double sum(double[] row) {
        double sum = 0;
        for (double value : row) {
            sum += value;
        }
        return sum;
    }

    /** Sum of each row. */
    public static double[] rowSums(double[][] rows) {
        return Arrays.stream(rows).mapToDouble(Ragged::sum).toArray();
    }

    /**
     * Mean over all tokens.
     *
     * @throws IllegalArgumentException when there is none
     */
    public static double mean(double[][] rows) {
        return sum(rows) / requireTokens(rows);
    }

    /** A new matrix with {@code f} of each entry. */
    public static double[][] map(double[][] rows, DoubleUnaryOperator f) {
        return Arrays.stream(rows)
                .map(row -> Arrays.stream(row).map(f).toArray())
                .toArray(double[][]::new);
    }

    /**
     * A new matrix with {@code f} of each pair of entries.
     *
     * @throws IllegalArgumentException when the shapes differ
     */
    public static double[][] combine(double[][] a, double[][] b, DoubleBinaryOperator f) {
        requireSameShape("the left operand", a, "the right operand", b);
        double[][] result = zerosLike(a);
        for (int i = 0; i < a.length; i++) {
            for (int t = 0; t < a[i].length; t++) {
                result[i][t] = f.applyAsDouble(a[i][t], b[i][t]);
            }
        }
        return result;
    }

    /** A matrix of zeros of the same shape. */
    public static double[][] zerosLike(double[][] rows) {
        return map(rows, x -> 0.0);
    }

    /** The rows at these indices, in this order; the rows themselves are shared, not copied. */
    public static double[][] select(double[][] rows, int... indices) {
        return Arrays.stream(indices).mapToObj(i -> rows[i]).toArray(double[][]::new);
    }

    /**
     * Checks that two matrices have the same rows and entries.
     *
     * @throws IllegalArgumentException naming both and the first row that differs
     */
    public static void requireSameShape(String nameA, double[][] a, String nameB, double[][] b) {
        if (a.length != b.length) {
            throw new IllegalArgumentException(nameA + " and " + nameB + " must have one row per sequence each, got "
                    + a.length + " and " + b.length + " rows");
        }
        for (int i = 0; i < a.length; i++) {
            if (a[i].length != b[i].length) {
                throw new IllegalArgumentException(nameA + " and " + nameB
                        + " must have one entry per token each; row " + i + " has " + a[i].length + " and "
                        + b[i].length);
            }
        }
    }

    static long requireTokens(double[][] rows) {
        long count = count(rows);
        if (count == 0) {
            throw new IllegalArgumentException("a statistic over tokens needs at least one token, got " + rows.length
                    + " rows with none; was every response empty?");
        }
        return count;
    }

    static void requireRowWeights(double[] rowWeights, double[][] rows) {
        if (rowWeights.length != rows.length) {
            throw new IllegalArgumentException("the loss needs one weight per row, got " + rowWeights.length
                    + " weights for " + rows.length + " rows; take them from Aggregation.rowWeights");
        }
    }
}
