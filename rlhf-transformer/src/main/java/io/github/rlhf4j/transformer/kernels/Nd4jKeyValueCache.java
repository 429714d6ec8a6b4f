package io.github.rlhf4j.transformer.kernels;

import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.blas.params.MMulTranspose;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.impl.reduce.Mmul;
import org.nd4j.linalg.api.ops.impl.transforms.custom.SoftMax;
import org.nd4j.linalg.api.ops.impl.transforms.pairwise.arithmetic.AddOp;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Keys and values of one layer as ND4J arrays {@code [slots, K, capacity, D]}, filled from the front, grown when full. A
 * sequence has a slot from its first row until it is released.
 */
final class Nd4jKeyValueCache implements KeyValueCache {

    private static final float MASKED = -1e9f;

    private final Map<Integer, Integer> slotOf = new HashMap<>();
    private final BitSet taken = new BitSet();
    private int slots = 1;
    private final AttentionShape shape;
    private final int heads;
    private final int headSize;
    private int capacity;
    private INDArray keys;
    private INDArray values;

    Nd4jKeyValueCache(AttentionShape shape, DataType dataType) {
        this.shape = shape;
        this.heads = shape.keyValueHeads();
        this.headSize = shape.headSize();
        this.capacity = GROWTH;
        this.keys = Nd4j.zeros(dataType, slots, heads, capacity, headSize);
        this.values = Nd4j.zeros(dataType, slots, heads, capacity, headSize);
    }

    private int slot(int sequence) {
        return slotOf.computeIfAbsent(sequence, i -> {
            int free = taken.nextClearBit(0);
            taken.set(free);
            return free;
        });
    }

    private int[] slots(int[] ofSequences) {
        return Arrays.stream(ofSequences).map(this::slot).toArray();
    }

    /** Room for every slot that is taken and for positions below {@code length}. */
    private void growTo(int length) {
        int more = taken.length() <= slots ? slots : Math.max(taken.length(), 2 * slots);
        int longer = length <= capacity ? capacity : (length / GROWTH + 1) * GROWTH;
        if (more > slots || longer > capacity) {
            keys = copyFront(keys, more, longer);
            values = copyFront(values, more, longer);
            slots = more;
            capacity = longer;
        }
    }

    private INDArray copyFront(INDArray from, int more, int longer) {
        INDArray to = Nd4j.zeros(from.dataType(), more, heads, longer, headSize);
        to.get(
                        NDArrayIndex.interval(0, slots),
                        NDArrayIndex.all(),
                        NDArrayIndex.interval(0, capacity),
                        NDArrayIndex.all())
                .assign(from);
        from.close();
        return to;
    }

    @Override
    public void share(int from, int length, int to) {
        int source = slot(from);
        int copy = slot(to);
        growTo(length);
        keys.slice(copy).assign(keys.slice(source));
        values.slice(copy).assign(values.slice(source));
    }

    @Override
    public void release(int sequence) {
        Integer slot = slotOf.remove(sequence);
        if (slot != null) {
            taken.clear(slot);
        }
    }

    @Override
    public void append(INDArray qkv, int[] sequences, int[] positions, Arena arena) {
        int[] rows = slots(sequences);
        growTo(Arrays.stream(positions).max().orElse(0) + 1);
        int[] places = new int[rows.length * heads];
        for (int i = 0; i < rows.length; i++) {
            for (int h = 0; h < heads; h++) {
                places[i * heads + h] = (rows[i] * heads + h) * capacity + positions[i];
            }
        }
        try (INDArray indices = Nd4j.createFromArray(places)) {
            store(qkv, shape.keysFrom(), indices, keys, arena);
            store(qkv, shape.valuesFrom(), indices, values, arena);
        }
    }

    private void store(INDArray qkv, int column, INDArray indices, INDArray into, Arena arena) {
        Arena.Mark mark = arena.mark();
        INDArray flat = into.reshape('c', (long) slots * heads * capacity, headSize);
        Nd4j.exec(DynamicCustomOp.builder("scatter_upd")
                .addInputs(flat, indices, columns(qkv, column, heads, arena))
                .addOutputs(flat)
                .build());
        arena.release(mark);
    }

    /** Some heads of {@code [N, (H + 2K)·D]}, from a column on, as {@code [N·count, D]}. */
    private INDArray columns(INDArray qkv, int column, int count, Arena arena) {
        long n = qkv.size(0);
        INDArray heads2d = arena.take(n * count, headSize);
        long channels = (long) count * headSize;
        INDArray from = Nd4jKernels.columns(qkv, column, channels);
        heads2d.reshape('c', n, channels).assign(from);
        return heads2d;
    }

    @Override
    public void attend(INDArray qkv, int[] sequences, int[] positions, INDArray out, Arena arena) {
        Arena.Mark mark = arena.mark();
        int[] active = slots(sequences);
        boolean all = Arrays.equals(active, IntStream.range(0, slots).toArray());
        INDArray k = all ? keys : gather(keys, active, arena);
        INDArray v = all ? values : gather(values, active, arena);
        long b = active.length;
        int group = shape.group();
        INDArray q = columns(qkv, 0, shape.heads(), arena).reshape('c', b * heads, group, headSize);
        INDArray weights = arena.take(b * heads, group, capacity);
        multiply(q, k.reshape('c', b * heads, capacity, headSize), weights, true);
        weights.muli(1 / Math.sqrt(headSize));
        addMask(weights.reshape('c', b, shape.heads(), capacity), positions);
        Nd4j.exec(new SoftMax(weights, weights, -1));
        multiply(
                weights,
                v.reshape('c', b * heads, capacity, headSize),
                out.reshape('c', b * heads, group, headSize),
                false);
        arena.release(mark);
    }

    private INDArray gather(INDArray cache, int[] active, Arena arena) {
        INDArray gathered = arena.take(active.length, (long) heads * capacity * headSize);
        try (INDArray indices = Nd4j.createFromArray(active)) {
            Nd4j.exec(DynamicCustomOp.builder("gather")
                    .addInputs(cache.reshape('c', slots, (long) heads * capacity * headSize), indices)
                    .addOutputs(gathered)
                    .addIntegerArguments(0)
                    .build());
        }
        return gathered;
    }

    private void addMask(INDArray scores, int[] positions) {
        float[] mask = new float[positions.length * capacity];
        IntStream.range(0, positions.length)
                .forEach(i -> Arrays.fill(mask, i * capacity + positions[i] + 1, (i + 1) * capacity, MASKED));
        try (INDArray raw = Nd4j.createFromArray(mask);
                INDArray typed = raw.castTo(scores.dataType())) {
            Nd4j.exec(new AddOp(scores, typed.reshape('c', positions.length, 1, capacity), scores));
        }
    }

    private static void multiply(INDArray a, INDArray b, INDArray out, boolean transposeB) {
        Nd4j.exec(new Mmul(
                a, b, out, MMulTranspose.builder().transposeB(transposeB).build()));
    }

    @Override
    public void close() {
        keys.close();
        values.close();
    }
}
