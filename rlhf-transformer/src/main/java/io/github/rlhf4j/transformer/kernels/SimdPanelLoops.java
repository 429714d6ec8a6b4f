package io.github.rlhf4j.transformer.kernels;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Loops over panels on the Java Vector API. One class file runs on Java 17 and 25: it uses what both have.
 *
 * <p>Implementation note. A panel is three vectors wide: with four rows, twelve sums, three vectors of weights and one of x
 * are the sixteen registers of AVX2, and there are enough sums under way to hide the latency of each addition.
 *
 * <p>Sums are stored where they were summed up, not by a method: that one runs once where the loop runs hundreds of times,
 * so that the compiler may not inline it, and a vector that is an argument is an object, made anew in each round of the loop
 * (ten times slower; it happened in most runs on Java 17).
 */
final class SimdPanelLoops implements PanelLoops {

    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = SPECIES.length();
    private static final int WIDTH = 3 * LANES;

    /** As many bytes as there are float lanes. */
    private static final VectorSpecies<Byte> BYTES =
            VectorSpecies.of(byte.class, VectorShape.forBitSize(Byte.SIZE * LANES));

    @Override
    public int width() {
        return WIDTH;
    }

    private static FloatVector at(float[] x, int i) {
        return FloatVector.fromArray(SPECIES, x, i);
    }

    private static FloatVector at(byte[] x, int i) {
        return (FloatVector) ByteVector.fromArray(BYTES, x, i).convertShape(VectorOperators.B2F, SPECIES, 0);
    }

    private static FloatVector all(float value) {
        return FloatVector.broadcast(SPECIES, value);
    }

    @Override
    public void addRow(float[] x, int xFrom, int step, float[] panels, int from, int k, float[] out, int outFrom) {
        FloatVector s0 = at(out, outFrom);
        FloatVector s1 = at(out, outFrom + LANES);
        FloatVector s2 = at(out, outFrom + 2 * LANES);
        for (int i = 0, w = from, at = xFrom; i < k; i++, w += WIDTH, at += step) {
            FloatVector xi = all(x[at]);
            s0 = at(panels, w).fma(xi, s0);
            s1 = at(panels, w + LANES).fma(xi, s1);
            s2 = at(panels, w + 2 * LANES).fma(xi, s2);
        }
        s0.intoArray(out, outFrom);
        s1.intoArray(out, outFrom + LANES);
        s2.intoArray(out, outFrom + 2 * LANES);
    }

    @Override
    public void addRow(float[] x, int xFrom, int step, byte[] panels, int from, int k, float[] out, int outFrom) {
        FloatVector s0 = at(out, outFrom);
        FloatVector s1 = at(out, outFrom + LANES);
        FloatVector s2 = at(out, outFrom + 2 * LANES);
        for (int i = 0, w = from, at = xFrom; i < k; i++, w += WIDTH, at += step) {
            FloatVector xi = all(x[at]);
            s0 = at(panels, w).fma(xi, s0);
            s1 = at(panels, w + LANES).fma(xi, s1);
            s2 = at(panels, w + 2 * LANES).fma(xi, s2);
        }
        s0.intoArray(out, outFrom);
        s1.intoArray(out, outFrom + LANES);
        s2.intoArray(out, outFrom + 2 * LANES);
    }

    @Override
    public void addFourRows(
            float[] x,
            int xFrom,
            int rowStride,
            int step,
            float[] panels,
            int from,
            int k,
            float[] out,
            int outFrom,
            int outStride) {
        int b = outFrom + outStride;
        int c = b + outStride;
        int d = c + outStride;
        FloatVector a0 = at(out, outFrom);
        FloatVector a1 = at(out, outFrom + LANES);
        FloatVector a2 = at(out, outFrom + 2 * LANES);
        FloatVector b0 = at(out, b);
        FloatVector b1 = at(out, b + LANES);
        FloatVector b2 = at(out, b + 2 * LANES);
        FloatVector c0 = at(out, c);
        FloatVector c1 = at(out, c + LANES);
        FloatVector c2 = at(out, c + 2 * LANES);
        FloatVector d0 = at(out, d);
        FloatVector d1 = at(out, d + LANES);
        FloatVector d2 = at(out, d + 2 * LANES);
        for (int i = 0, w = from, at = xFrom; i < k; i++, w += WIDTH, at += step) {
            FloatVector w0 = at(panels, w);
            FloatVector w1 = at(panels, w + LANES);
            FloatVector w2 = at(panels, w + 2 * LANES);
            FloatVector xi = all(x[at]);
            a0 = w0.fma(xi, a0);
            a1 = w1.fma(xi, a1);
            a2 = w2.fma(xi, a2);
            xi = all(x[at + rowStride]);
            b0 = w0.fma(xi, b0);
            b1 = w1.fma(xi, b1);
            b2 = w2.fma(xi, b2);
            xi = all(x[at + 2 * rowStride]);
            c0 = w0.fma(xi, c0);
            c1 = w1.fma(xi, c1);
            c2 = w2.fma(xi, c2);
            xi = all(x[at + 3 * rowStride]);
            d0 = w0.fma(xi, d0);
            d1 = w1.fma(xi, d1);
            d2 = w2.fma(xi, d2);
        }
        a0.intoArray(out, outFrom);
        a1.intoArray(out, outFrom + LANES);
        a2.intoArray(out, outFrom + 2 * LANES);
        b0.intoArray(out, b);
        b1.intoArray(out, b + LANES);
        b2.intoArray(out, b + 2 * LANES);
        c0.intoArray(out, c);
        c1.intoArray(out, c + LANES);
        c2.intoArray(out, c + 2 * LANES);
        d0.intoArray(out, d);
        d1.intoArray(out, d + LANES);
        d2.intoArray(out, d + 2 * LANES);
    }

    @Override
    public void softmaxOfColumns(float[] x, int rows) {
        for (int column = 0; column < WIDTH; column += LANES) {
            softmax(x, column, rows * WIDTH);
        }
    }

    private static void softmax(float[] x, int from, int to) {
        FloatVector max = all(Float.NEGATIVE_INFINITY);
        FloatVector otherMax = max;
        int i = from;
        for (; i + WIDTH < to; i += 2 * WIDTH) {
            max = max.max(at(x, i));
            otherMax = otherMax.max(at(x, i + WIDTH));
        }
        if (i < to) {
            max = max.max(at(x, i));
        }
        max = max.max(otherMax);
        FloatVector sum = all(0);
        for (i = from; i < to; i += WIDTH) {
            FloatVector e = SimdLoops.expOfAtMostHighest(at(x, i).sub(max));
            e.intoArray(x, i);
            sum = sum.add(e);
        }
        FloatVector factor = all(1).div(sum);
        for (i = from; i < to; i += WIDTH) {
            at(x, i).mul(factor).intoArray(x, i);
        }
    }

    @Override
    public void softmaxOfColumnsGradient(float[] g, float[] w, int rows) {
        for (int column = 0; column < WIDTH; column += LANES) {
            softmaxGradient(g, w, column, rows * WIDTH);
        }
    }

    private static void softmaxGradient(float[] g, float[] w, int from, int to) {
        FloatVector mean = all(0);
        for (int i = from; i < to; i += WIDTH) {
            mean = at(g, i).fma(at(w, i), mean);
        }
        for (int i = from; i < to; i += WIDTH) {
            at(g, i).sub(mean).mul(at(w, i)).intoArray(g, i);
        }
    }

    @Override
    public void widen(byte[] bytes, int from, float[] out, int length) {
        for (int i = 0; i < length; i += LANES) {
            at(bytes, from + i).intoArray(out, i);
        }
    }
}
