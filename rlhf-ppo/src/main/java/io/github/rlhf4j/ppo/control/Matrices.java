package io.github.rlhf4j.ppo.control;

import java.util.Arrays;
import java.util.stream.Stream;

/** Small dense matrices {@code double[row][column]}. Inner loops run along rows, so that the compiler vectorises them. */
final class Matrices {

    private Matrices() {}

    /** a·b, for a {@code [M][K]} and b {@code [K][N]}. */
    static double[][] product(double[][] a, double[][] b) {
        double[][] product = new double[a.length][b[0].length];
        addProduct(a, b, product);
        return product;
    }

    /** sum += a·b. */
    static void addProduct(double[][] a, double[][] b, double[][] sum) {
        for (int i = 0; i < a.length; i++) {
            for (int k = 0; k < b.length; k++) {
                addScaled(a[i][k], b[k], sum[i]);
            }
        }
    }

    private static void addScaled(double scale, double[] x, double[] sum) {
        for (int j = 0; j < sum.length; j++) {
            sum[j] += scale * x[j];
        }
    }

    static double[][] transpose(double[][] a) {
        double[][] transpose = new double[a[0].length][a.length];
        for (int i = 0; i < a.length; i++) {
            for (int j = 0; j < a[i].length; j++) {
                transpose[j][i] = a[i][j];
            }
        }
        return transpose;
    }

    /** Adds a vector to each row. */
    static void addToRows(double[][] rows, double[] vector) {
        for (double[] row : rows) {
            addScaled(1, vector, row);
        }
    }

    /** Adds each row to a vector. */
    static void addColumnSums(double[][] rows, double[] vector) {
        for (double[] row : rows) {
            addScaled(1, row, vector);
        }
    }

    /** The rows and one more. */
    static Stream<double[]> withRow(double[][] rows, double[] row) {
        return Stream.concat(Arrays.stream(rows), Stream.of(row));
    }
}
