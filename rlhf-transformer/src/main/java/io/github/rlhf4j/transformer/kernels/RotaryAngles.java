package io.github.rlhf4j.transformer.kernels;

import java.util.Arrays;

/**
 * Cosines and sines of {@code position·frequency}, computed as far as positions were asked for; by any thread.
 */
public final class RotaryAngles {

    private static final int GROWTH = 256;

    /** Rows of D: the cosines of a position, then its sines. */
    private record Table(int positions, float[] values) {}

    private final double[] frequencies;
    private volatile Table table = new Table(0, new float[0]);

    /** @param frequencies {@code [D/2]}, radians per position */
    public RotaryAngles(double[] frequencies) {
        this.frequencies = frequencies.clone();
    }

    /** D. */
    int headSize() {
        return 2 * frequencies.length;
    }

    /** Rows of D floats, one for each position below {@code positions} at least: D/2 cosines, then D/2 sines. */
    float[] upTo(int positions) {
        Table known = table;
        return known.positions() >= positions ? known.values() : grow(positions).values();
    }

    private synchronized Table grow(int positions) {
        Table known = table;
        if (known.positions() >= positions) {
            return known;
        }
        int count = (Math.max(positions, 2 * known.positions()) + GROWTH - 1) / GROWTH * GROWTH;
        float[] values = Arrays.copyOf(known.values(), Math.multiplyExact(count, headSize()));
        for (int p = known.positions(); p < count; p++) {
            for (int i = 0; i < frequencies.length; i++) {
                values[p * headSize() + i] = (float) cosine(p, i);
                values[p * headSize() + frequencies.length + i] = (float) sine(p, i);
            }
        }
        Table grown = new Table(count, values);
        table = grown;
        return grown;
    }

    double cosine(int position, int pair) {
        return Math.cos(position * frequencies[pair]);
    }

    double sine(int position, int pair) {
        return Math.sin(position * frequencies[pair]);
    }
}
