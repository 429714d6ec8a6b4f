package io.github.rlhf4j.ppo.control;

import io.github.rlhf4j.core.random.RandomKey;

/**
 * Random matrices of orthogonal rows or columns, whichever are fewer (Saxe, McClelland and Ganguli 2014, "Exact solutions
 * to the nonlinear dynamics of learning in deep linear neural networks"): they change no vector's length but by the gain.
 */
final class OrthogonalMatrix {

    private OrthogonalMatrix() {}

    /** A matrix {@code [rows][columns]} whose shorter side's vectors are orthogonal and of length {@code gain}. */
    static double[][] of(RandomKey key, int rows, int columns, double gain) {
        if (rows > columns) {
            return Matrices.transpose(of(key, columns, rows, gain));
        }
        double[][] matrix = new double[rows][columns];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                matrix[i][j] = key.child(i).child(j).gaussian();
            }
            for (int before = 0; before < i; before++) {
                subtractProjection(matrix[i], matrix[before], gain);
            }
            scaleTo(gain, matrix[i]);
        }
        return matrix;
    }

    /** Takes from a row what lies along another of length {@code length} (Gram–Schmidt, in its modified order). */
    private static void subtractProjection(double[] row, double[] other, double length) {
        double share = dot(row, other) / (length * length);
        for (int j = 0; j < row.length; j++) {
            row[j] -= share * other[j];
        }
    }

    private static void scaleTo(double length, double[] row) {
        double scale = length / Math.sqrt(dot(row, row));
        for (int j = 0; j < row.length; j++) {
            row[j] *= scale;
        }
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int j = 0; j < a.length; j++) {
            sum += a[j] * b[j];
        }
        return sum;
    }
}
