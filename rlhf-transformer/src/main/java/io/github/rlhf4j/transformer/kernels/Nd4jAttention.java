package io.github.rlhf4j.transformer.kernels;

import org.nd4j.linalg.api.blas.params.MMulTranspose;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.broadcast.BroadcastMulOp;
import org.nd4j.linalg.api.ops.impl.reduce.Mmul;
import org.nd4j.linalg.api.ops.impl.reduce.same.Sum;
import org.nd4j.linalg.api.ops.impl.transforms.custom.SoftMax;
import org.nd4j.linalg.api.ops.impl.transforms.pairwise.arithmetic.AddOp;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Causal attention over packed sequences with batched products of ND4J, which want equal shapes: rows are first laid into
 * {@link Bins}, some bins at a time. Attention weights are not kept between forward and backward.
 */
final class Nd4jAttention {

    /** Attention weights alive at once. */
    private static final long CHUNK_ELEMENTS = 1L << 22;

    /** Shapes of one call: H heads of size D, each with its own keys and values, C = H·D, over bins of width S. */
    private record Shape(Bins bins, int heads, int headSize) {

        static Shape of(PackedTokens packed, int heads, INDArray qkv) {
            return new Shape(packed.bins(), heads, (int) qkv.size(1) / 3 / heads);
        }

        int width() {
            return bins.width();
        }

        int channels() {
            return heads * headSize;
        }

        int binsPerChunk() {
            return (int) Math.max(1, CHUNK_ELEMENTS / ((long) heads * width() * width()));
        }
    }

    /** Queries, keys and values of some bins, each {@code [g·H, S, D]}, and the attention weights {@code [g·H, S, S]}. */
    private record Attended(INDArray q, INDArray k, INDArray v, INDArray weights) {}

    void forward(PackedTokens packed, int heads, INDArray qkv, INDArray out, Arena arena) {
        Shape shape = Shape.of(packed, heads, qkv);
        Bins bins = shape.bins();
        Arena.Mark mark = arena.mark();
        boolean identity = bins.isIdentity();
        INDArray slots = identity ? out : arena.take((long) bins.count() * bins.width(), shape.channels());
        for (int from = 0; from < bins.count(); from += shape.binsPerChunk()) {
            int to = Math.min(bins.count(), from + shape.binsPerChunk());
            Arena.Mark chunk = arena.mark();
            Attended a = attend(shape, from, to, qkv, arena);
            INDArray mixed = arena.take(a.q().shape());
            multiply(a.weights(), a.v(), mixed, false, false);
            fromHeads(mixed, 1, shape, Rows.slice(slots, (long) from * bins.width(), (long) to * bins.width()));
            arena.release(chunk);
        }
        if (!identity) {
            Nd4jKernels.gather(slots, bins.slotOfRow(), out);
        }
        arena.release(mark);
    }

    void backward(PackedTokens packed, int heads, INDArray dOut, INDArray qkv, INDArray dQkv, Arena arena) {
        Shape shape = Shape.of(packed, heads, qkv);
        Bins bins = shape.bins();
        Arena.Mark mark = arena.mark();
        boolean identity = bins.isIdentity();
        INDArray dSlots = identity ? dQkv : arena.take((long) bins.count() * bins.width(), 3L * shape.channels());
        for (int from = 0; from < bins.count(); from += shape.binsPerChunk()) {
            int to = Math.min(bins.count(), from + shape.binsPerChunk());
            Arena.Mark chunk = arena.mark();
            Attended a = attend(shape, from, to, qkv, arena);
            INDArray dMixed = part(toHeads(dOut, 1, shape, from, to, arena), 0);
            INDArray dQkvHeads = arena.take(3, a.q().size(0), a.q().size(1), a.q().size(2));
            backward(a, dMixed, part(dQkvHeads, 0), part(dQkvHeads, 1), part(dQkvHeads, 2), shape, arena);
            fromHeads(dQkvHeads, 3, shape, Rows.slice(dSlots, (long) from * bins.width(), (long) to * bins.width()));
            arena.release(chunk);
        }
        if (!identity) {
            Nd4jKernels.gather(dSlots, bins.slotOfRow(), dQkv);
        }
        arena.release(mark);
    }

    private static Attended attend(Shape shape, int from, int to, INDArray qkv, Arena arena) {
        INDArray heads = toHeads(qkv, 3, shape, from, to, arena);
        INDArray q = part(heads, 0);
        INDArray k = part(heads, 1);
        INDArray v = part(heads, 2);
        long s = shape.width();
        INDArray weights = arena.take(q.size(0), s, s);
        multiply(q, k, weights, false, true);
        weights.muli(1 / Math.sqrt(shape.headSize()));
        addMask(weights, shape, from, to);
        Nd4j.exec(new SoftMax(weights, weights, -1));
        return new Attended(q, k, v, weights);
    }

    /** Mirrors {@link #attend} and the product with the values. */
    private static void backward(
            Attended a, INDArray dMixed, INDArray dQ, INDArray dK, INDArray dV, Shape shape, Arena arena) {
        multiply(a.weights(), dMixed, dV, true, false); // mixed = weights·v
        INDArray dScores = arena.take(a.weights().shape());
        multiply(dMixed, a.v(), dScores, false, true);

        dScores.muli(a.weights()); // weights = softmax(scores): w∘(g − Σ w∘g)
        INDArray sums = arena.take(a.weights().size(0), a.weights().size(1));
        Nd4j.exec(new Sum(dScores, sums, false, 2));
        Nd4j.exec(new BroadcastMulOp(a.weights(), sums, a.weights(), 0, 1));
        dScores.subi(a.weights()).muli(1 / Math.sqrt(shape.headSize()));

        multiply(dScores, a.k(), dQ, false, false); // scores = q·kᵀ/√D
        multiply(dScores, a.q(), dK, true, false);
    }

    private static void addMask(INDArray weights, Shape shape, int from, int to) {
        float[] mask = shape.bins().mask(from, to);
        long s = shape.width();
        try (INDArray raw = Nd4j.createFromArray(mask);
                INDArray typed = raw.castTo(weights.dataType())) {
            INDArray scores = weights.reshape('c', to - from, shape.heads(), s, s);
            Nd4j.exec(new AddOp(scores, typed.reshape('c', mask.length / (s * s), 1, s, s), scores));
        }
    }

    /** Rows {@code [N, parts·C]} of some bins as {@code [parts, g·H, S, D]}; empty slots are zero. */
    private static INDArray toHeads(INDArray rows, int parts, Shape shape, int from, int to, Arena arena) {
        Bins bins = shape.bins();
        int g = to - from;
        INDArray heads = arena.take(parts, (long) g * shape.heads(), shape.width(), shape.headSize());
        INDArray target = heads.reshape('c', parts, g, shape.heads(), shape.width(), shape.headSize());
        INDArray slots;
        if (bins.isIdentity()) {
            slots = Rows.slice(rows, (long) from * bins.width(), (long) to * bins.width());
        } else {
            slots = arena.take((long) g * bins.width(), rows.size(1));
            Nd4jKernels.gather(rows, bins.rowsOf(from, to), slots);
            try (INDArray occupied = Nd4jKernels.columnOf(bins.occupied(from, to), slots.dataType())) {
                Nd4j.exec(new BroadcastMulOp(slots, occupied, slots, 0));
            }
        }
        target.assign(slots.reshape('c', g, shape.width(), parts, shape.heads(), shape.headSize())
                .permute(2, 0, 3, 1, 4));
        return heads;
    }

    /** The inverse of {@link #toHeads}, into slots {@code [g·S, parts·C]}. */
    private static void fromHeads(INDArray heads, int parts, Shape shape, INDArray slots) {
        long g = slots.size(0) / shape.width();
        slots.reshape('c', g, shape.width(), parts, shape.heads(), shape.headSize())
                .assign(heads.reshape('c', parts, g, shape.heads(), shape.width(), shape.headSize())
                        .permute(1, 3, 0, 2, 4));
    }

    private static INDArray part(INDArray heads, int index) {
        long length = heads.size(1) * heads.size(2) * heads.size(3);
        long[] shape = {heads.size(1), heads.size(2), heads.size(3)};
        long[] strides = {heads.size(2) * heads.size(3), heads.size(3), 1};
        return Nd4j.create(heads.data(), shape, strides, heads.offset() + index * length, 'c');
    }

    private static void multiply(INDArray a, INDArray b, INDArray out, boolean transposeA, boolean transposeB) {
        Nd4j.exec(new Mmul(
                a,
                b,
                out,
                MMulTranspose.builder()
                        .transposeA(transposeA)
                        .transposeB(transposeB)
                        .build()));
    }
}
