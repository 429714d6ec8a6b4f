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
    public void oneRow(float[] x, int xFrom, float[] panels, int from, int k, float[] out, int outFrom) {
        FloatVector s0 = FloatVector.zero(SPECIES);
        FloatVector s1 = s0;
        FloatVector s2 = s0;
        for (int i = 0, w = from; i < k; i++, w += WIDTH) {
            FloatVector xi = all(x[xFrom + i]);
            s0 = at(panels, w).fma(xi, s0);
            s1 = at(panels, w + LANES).fma(xi, s1);
            s2 = at(panels, w + 2 * LANES).fma(xi, s2);
        }
        s0.intoArray(out, outFrom);
        s1.intoArray(out, outFrom + LANES);
        s2.intoArray(out, outFrom + 2 * LANES);
    }

    @Override
    public void oneRow(float[] x, int xFrom, byte[] panels, int from, int k, float[] out, int outFrom) {
        FloatVector s0 = FloatVector.zero(SPECIES);
        FloatVector s1 = s0;
        FloatVector s2 = s0;
        for (int i = 0, w = from; i < k; i++, w += WIDTH) {
            FloatVector xi = all(x[xFrom + i]);
            s0 = at(panels, w).fma(xi, s0);
            s1 = at(panels, w + LANES).fma(xi, s1);
            s2 = at(panels, w + 2 * LANES).fma(xi, s2);
        }
        s0.intoArray(out, outFrom);
        s1.intoArray(out, outFrom + LANES);
        s2.intoArray(out, outFrom + 2 * LANES);
    }

    @Override
    public void fourRows(
            float[] x, int xFrom, float[] panels, int from, int k, float[] out, int outFrom, int outStride) {
        FloatVector a0 = FloatVector.zero(SPECIES);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        FloatVector b2 = a0;
        FloatVector c0 = a0;
        FloatVector c1 = a0;
        FloatVector c2 = a0;
        FloatVector d0 = a0;
        FloatVector d1 = a0;
        FloatVector d2 = a0;
        for (int i = 0; i < k; i++) {
            int w = from + i * WIDTH;
            FloatVector w0 = at(panels, w);
            FloatVector w1 = at(panels, w + LANES);
            FloatVector w2 = at(panels, w + 2 * LANES);
            FloatVector xi = all(x[xFrom + i]);
            a0 = w0.fma(xi, a0);
            a1 = w1.fma(xi, a1);
            a2 = w2.fma(xi, a2);
            xi = all(x[xFrom + k + i]);
            b0 = w0.fma(xi, b0);
            b1 = w1.fma(xi, b1);
            b2 = w2.fma(xi, b2);
            xi = all(x[xFrom + 2 * k + i]);
            c0 = w0.fma(xi, c0);
            c1 = w1.fma(xi, c1);
            c2 = w2.fma(xi, c2);
            xi = all(x[xFrom + 3 * k + i]);
            d0 = w0.fma(xi, d0);
            d1 = w1.fma(xi, d1);
            d2 = w2.fma(xi, d2);
        }
        a0.intoArray(out, outFrom);
        a1.intoArray(out, outFrom + LANES);
        a2.intoArray(out, outFrom + 2 * LANES);
        b0.intoArray(out, outFrom + outStride);
        b1.intoArray(out, outFrom + outStride + LANES);
        b2.intoArray(out, outFrom + outStride + 2 * LANES);
        c0.intoArray(out, outFrom + 2 * outStride);
        c1.intoArray(out, outFrom + 2 * outStride + LANES);
        c2.intoArray(out, outFrom + 2 * outStride + 2 * LANES);
        d0.intoArray(out, outFrom + 3 * outStride);
        d1.intoArray(out, outFrom + 3 * outStride + LANES);
        d2.intoArray(out, outFrom + 3 * outStride + 2 * LANES);
    }

    @Override
    public void widen(byte[] bytes, int from, float[] out, int length) {
        for (int i = 0; i < length; i += LANES) {
            at(bytes, from + i).intoArray(out, i);
        }
    }
}
