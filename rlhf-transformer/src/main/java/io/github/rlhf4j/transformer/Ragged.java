package io.github.rlhf4j.transformer;

import java.util.Arrays;

/** Ragged rows and the flat array of their entries. */
final class Ragged {

    private Ragged() {}

    /** Cuts {@code flat} into rows of these lengths. */
    static double[][] rows(double[] flat, int[] counts) {
        double[][] rows = new double[counts.length][];
        int at = 0;
        for (int i = 0; i < counts.length; i++) {
            rows[i] = Arrays.copyOfRange(flat, at, at + counts[i]);
            at += counts[i];
        }
        return rows;
    }

    /** Joins rows, which must have these lengths. */
    static double[] flat(double[][] rows, int[] counts, String what) {
        if (rows.length != counts.length) {
            throw new IllegalArgumentException(what + " has " + rows.length + " rows, expected " + counts.length);
        }
        double[] flat = new double[Arrays.stream(counts).sum()];
        int at = 0;
        for (int i = 0; i < counts.length; i++) {
            if (rows[i].length != counts[i]) {
                throw new IllegalArgumentException(
                        what + " row " + i + " has " + rows[i].length + " entries, expected " + counts[i]);
            }
            System.arraycopy(rows[i], 0, flat, at, counts[i]);
            at += counts[i];
        }
        return flat;
    }
}
