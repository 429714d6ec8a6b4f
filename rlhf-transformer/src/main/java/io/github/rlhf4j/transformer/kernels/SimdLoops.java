package io.github.rlhf4j.transformer.kernels;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Loops on the Java Vector API. One class file runs on Java 17 and 25: it uses what both have.
 *
 * <p>Implementation note. What is left over at the end of a range goes through {@link ScalarLoops}' formulas one element
 * at a time, so that an element's result may differ in its last bit with its place, but not with the number of threads.
 * Sums are kept in float lanes for {@value #STRETCH} elements at most, then added up in double. The exponential is the
 * one of {@link FloatMath}: a range reduction and a polynomial.
 */
final class SimdLoops implements VectorLoops {

    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = SPECIES.length();

    /** As many bytes as there are float lanes. */
    private static final VectorSpecies<Byte> BYTES =
            VectorSpecies.of(byte.class, VectorShape.forBitSize(Byte.SIZE * LANES));

    /** Elements whose sum stays in float lanes. */
    private static final int STRETCH = 1024;

    private static final FloatVector LOWEST = constant(FloatMath.LOWEST);
    private static final FloatVector HIGHEST = constant(FloatMath.HIGHEST);
    private static final FloatVector LOG2_E = constant(FloatMath.LOG2_E);
    private static final FloatVector ROUNDER = constant(FloatMath.ROUNDER);
    private static final FloatVector MINUS_LN2_HIGH = constant(-FloatMath.LN2_HIGH);
    private static final FloatVector MINUS_LN2_LOW = constant(-FloatMath.LN2_LOW);
    private static final FloatVector C7 = constant(FloatMath.C7);
    private static final FloatVector C6 = constant(FloatMath.C6);
    private static final FloatVector C5 = constant(FloatMath.C5);
    private static final FloatVector C4 = constant(FloatMath.C4);
    private static final FloatVector C3 = constant(FloatMath.C3);
    private static final FloatVector HALF = constant(0.5f);
    private static final FloatVector ONE = constant(1);
    private static final FloatVector MINUS_TWICE_SCALE = constant(-GeluConstants.TWICE_SCALE);
    private static final FloatVector CUBIC = constant(GeluConstants.CUBIC);
    private static final FloatVector THREE_CUBIC = constant(3 * GeluConstants.CUBIC);
    private static final FloatVector TWICE_SCALE = constant(GeluConstants.TWICE_SCALE);

    private final ScalarLoops rest = new ScalarLoops();

    private static FloatVector constant(float value) {
        return FloatVector.broadcast(SPECIES, value);
    }

    private static FloatVector at(float[] x, int i) {
        return FloatVector.fromArray(SPECIES, x, i);
    }

    /** Where the last whole vector of the range ends. */
    private static int bound(int from, int to) {
        return from + SPECIES.loopBound(to - from);
    }

    @Override
    public String description() {
        return "Vector API, " + 32 * LANES + " bits";
    }

    @Override
    public float max(float[] x, int from, int to) {
        int bound = bound(from, to);
        FloatVector largest = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
        for (int i = from; i < bound; i += LANES) {
            largest = largest.max(at(x, i));
        }
        return Math.max(largest.reduceLanes(VectorOperators.MAX), rest.max(x, bound, to));
    }

    @Override
    public double sum(float[] x, int from, int to) {
        int bound = bound(from, to);
        double sum = rest.sum(x, bound, to);
        for (int start = from; start < bound; start += STRETCH) {
            sum += sumOfStretch(x, start, Math.min(bound, start + STRETCH));
        }
        return sum;
    }

    private static float[] lanes() {
        return Scratch.ofThread().take(Scratch.LANES, LANES);
    }

    /** In this order: in which one {@code reduceLanes} adds is open, and on Java 25 it is another one once compiled. */
    private static float total(float[] lanes) {
        float total = 0;
        for (int i = 0; i < LANES; i++) {
            total += lanes[i];
        }
        return total;
    }

    private static float sumOfStretch(float[] x, int from, int to) {
        FloatVector sum = FloatVector.zero(SPECIES);
        for (int i = from; i < to; i += LANES) {
            sum = sum.add(at(x, i));
        }
        float[] lanes = lanes();
        sum.intoArray(lanes, 0);
        return total(lanes);
    }

    @Override
    public double dot(float[] x, int from, int to, float[] y, int yFrom) {
        int bound = bound(from, to);
        double sum = rest.dot(x, bound, to, y, yFrom + bound - from);
        for (int start = from; start < bound; start += STRETCH) {
            sum += dotOfStretch(x, start, Math.min(bound, start + STRETCH), y, yFrom - from);
        }
        return sum;
    }

    private static float dotOfStretch(float[] x, int from, int to, float[] y, int shift) {
        FloatVector sum = FloatVector.zero(SPECIES);
        for (int i = from; i < to; i += LANES) {
            sum = at(x, i).fma(at(y, i + shift), sum);
        }
        float[] lanes = lanes();
        sum.intoArray(lanes, 0);
        return total(lanes);
    }

    private static FloatVector exp(FloatVector x) {
        return expOfAtMostHighest(x.min(HIGHEST));
    }

    /** Without the upper clamp, a fifth of the work. */
    static FloatVector expOfAtMostHighest(FloatVector x) {
        FloatVector clamped = x.max(LOWEST);
        FloatVector shifted = clamped.fma(LOG2_E, ROUNDER);
        FloatVector n = shifted.sub(ROUNDER);
        FloatVector r = n.fma(MINUS_LN2_LOW, n.fma(MINUS_LN2_HIGH, clamped));
        FloatVector p = r.fma(C7, C6).fma(r, C5).fma(r, C4).fma(r, C3).fma(r, HALF);
        FloatVector e = p.mul(r).fma(r, r).add(ONE);
        IntVector power =
                shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23).add(FloatMath.ONE_BITS);
        return e.mul(power.reinterpretAsFloats());
    }

    @Override
    public void exp(float[] x, float[] out, int from, int to) {
        int bound = bound(from, to);
        for (int i = from; i < bound; i += LANES) {
            exp(at(x, i)).intoArray(out, i);
        }
        rest.exp(x, out, bound, to);
    }

    @Override
    public double expOfDifference(float[] x, float max, int from, int to) {
        int bound = bound(from, to);
        double sum = rest.expOfDifference(x, max, bound, to);
        for (int start = from; start < bound; start += STRETCH) {
            sum += expOfStretch(x, max, start, Math.min(bound, start + STRETCH));
        }
        return sum;
    }

    private static float expOfStretch(float[] x, float max, int from, int to) {
        FloatVector sum = FloatVector.zero(SPECIES);
        for (int i = from; i < to; i += LANES) {
            FloatVector e = exp(at(x, i).sub(max));
            e.intoArray(x, i);
            sum = sum.add(e);
        }
        float[] lanes = lanes();
        sum.intoArray(lanes, 0);
        return total(lanes);
    }

    @Override
    public void scale(float[] x, float factor, int from, int to) {
        int bound = bound(from, to);
        for (int i = from; i < bound; i += LANES) {
            at(x, i).mul(factor).intoArray(x, i);
        }
        rest.scale(x, factor, bound, to);
    }

    @Override
    public void scaleBytes(byte[] q, float[] scales, float[] out, int at, int length) {
        int bound = SPECIES.loopBound(length);
        for (int i = 0; i < bound; i += LANES) {
            FloatVector wide =
                    (FloatVector) ByteVector.fromArray(BYTES, q, i).convertShape(VectorOperators.B2F, SPECIES, 0);
            wide.mul(at(scales, i)).intoArray(out, at + i);
        }
        ScalarLoops.scaleBytes(q, scales, out, at, bound, length);
    }

    @Override
    public void softmaxGradient(float[] g, float[] w, float mean, int from, int to) {
        int bound = bound(from, to);
        for (int i = from; i < bound; i += LANES) {
            at(g, i).sub(mean).mul(at(w, i)).intoArray(g, i);
        }
        rest.softmaxGradient(g, w, mean, bound, to);
    }

    /** σ(2u). */
    private static FloatVector sigmoid(FloatVector x) {
        FloatVector minusTwiceU = x.mul(x).fma(CUBIC, ONE).mul(x).mul(MINUS_TWICE_SCALE);
        return ONE.div(exp(minusTwiceU).add(ONE));
    }

    /** Whole vectors only, so that an element has the same bits wherever it stands: the arrays are longer than the range. */
    @Override
    public void gelu(float[] x, float[] out, int length) {
        for (int i = 0; i < padded(length); i += LANES) {
            FloatVector v = at(x, i);
            v.mul(sigmoid(v)).intoArray(out, i);
        }
    }

    @Override
    public void geluGradient(float[] x, float[] d, int length) {
        for (int i = 0; i < padded(length); i += LANES) {
            FloatVector v = at(x, i);
            FloatVector sigma = sigmoid(v);
            FloatVector slope = v.mul(v).fma(THREE_CUBIC, ONE).mul(TWICE_SCALE);
            FloatVector factor = ONE.sub(sigma).mul(v).fma(slope, ONE).mul(sigma);
            at(d, i).mul(factor).intoArray(d, i);
        }
    }

    @Override
    public void silu(float[] x, float[] out, int length) {
        for (int i = 0; i < padded(length); i += LANES) {
            FloatVector v = at(x, i);
            v.div(exp(v.neg()).add(ONE)).intoArray(out, i);
        }
    }

    @Override
    public void siluGradient(float[] x, float[] d, int length) {
        for (int i = 0; i < padded(length); i += LANES) {
            FloatVector v = at(x, i);
            FloatVector sigma = ONE.div(exp(v.neg()).add(ONE));
            FloatVector factor = ONE.sub(sigma).fma(v, ONE).mul(sigma);
            at(d, i).mul(factor).intoArray(d, i);
        }
    }

    private static int padded(int length) {
        return (length + LANES - 1) / LANES * LANES;
    }

    /** Four vectors of sums at a time while there are as many, then one: enough to hide the latency of an addition. */
    @Override
    public void addWeightedRows(
            float[] weights, int first, int count, float[] rows, int from, int width, float[] sum, int at) {
        int j = 0;
        for (; j + 4 * LANES <= width; j += 4 * LANES) {
            FloatVector s0 = at(sum, at + j);
            FloatVector s1 = at(sum, at + j + LANES);
            FloatVector s2 = at(sum, at + j + 2 * LANES);
            FloatVector s3 = at(sum, at + j + 3 * LANES);
            for (int i = 0, row = from + j; i < count; i++, row += width) {
                FloatVector weight = constant(weights[first + i]);
                s0 = at(rows, row).fma(weight, s0);
                s1 = at(rows, row + LANES).fma(weight, s1);
                s2 = at(rows, row + 2 * LANES).fma(weight, s2);
                s3 = at(rows, row + 3 * LANES).fma(weight, s3);
            }
            s0.intoArray(sum, at + j);
            s1.intoArray(sum, at + j + LANES);
            s2.intoArray(sum, at + j + 2 * LANES);
            s3.intoArray(sum, at + j + 3 * LANES);
        }
        for (; j < width; j += LANES) {
            FloatVector s = at(sum, at + j);
            for (int i = 0, row = from + j; i < count; i++, row += width) {
                s = at(rows, row).fma(constant(weights[first + i]), s);
            }
            s.intoArray(sum, at + j);
        }
    }
}
