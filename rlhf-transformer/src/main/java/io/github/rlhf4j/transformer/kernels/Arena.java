package io.github.rlhf4j.transformer.kernels;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Memory for activations, taken from the top and given back in reverse, as a stack. Fresh allocations of this size cost
 * more than the operations on them (page faults), so an arena keeps what it once had and a training step in the steady
 * state allocates nothing. One owner, one thread.
 *
 * <p>Implementation note. It grows by blocks; once all is given back, the next pass begins with one block for the most that
 * was ever in use, so that ragged batches do not leave gaps at the ends of blocks. The array objects are kept too: a pass of
 * the same shapes as the one before gets the same ones.
 */
public final class Arena implements AutoCloseable {

    private static final long FIRST_BLOCK = 1L << 18;
    private static final long LARGEST_GROWTH = 1L << 26;

    /** Arrays begin at cache lines. */
    private static final long LINE = 16;

    private final DataType dataType;
    private final List<INDArray> blocks = new ArrayList<>();
    private final List<Taken> known = new ArrayList<>();
    private int block;
    private long top;
    private int taken;
    private long inUse;
    private long peak;
    private long allocations;

    /** An empty arena for arrays of this type. */
    public Arena(DataType dataType) {
        this.dataType = dataType;
    }

    /** A place in the stack of allocations. */
    public record Mark(int block, long top, int taken, long inUse) {}

    /** An array that was given out, and where it lies. */
    private record Taken(int block, long offset, long[] shape, INDArray array) {

        boolean is(int wantedBlock, long wantedOffset, long[] wantedShape) {
            return block == wantedBlock && offset == wantedOffset && Arrays.equals(shape, wantedShape);
        }
    }

    public DataType dataType() {
        return dataType;
    }

    public Mark mark() {
        return new Mark(block, top, taken, inUse);
    }

    /** Gives back everything that was taken since {@code mark}; arrays taken since must not be used any more. */
    public void release(Mark mark) {
        block = mark.block();
        top = mark.top();
        taken = mark.taken();
        inUse = mark.inUse();
    }

    /** An uninitialised 'c'-ordered array of this shape. */
    public INDArray take(long... shape) {
        long length = Arrays.stream(shape).reduce(1, Math::multiplyExact);
        long offset = reserve((length + LINE - 1) / LINE * LINE);
        INDArray array = view(offset, shape);
        taken++;
        return array;
    }

    private INDArray view(long offset, long[] shape) {
        if (taken < known.size() && known.get(taken).is(block, offset, shape)) {
            return known.get(taken).array();
        }
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= shape[i];
        }
        INDArray array = Nd4j.create(blocks.get(block).data(), shape, strides, offset, 'c');
        Taken fresh = new Taken(block, offset, shape.clone(), array);
        if (taken < known.size()) {
            known.set(taken, fresh);
        } else {
            known.add(fresh);
        }
        return array;
    }

    /** An array of this shape, all zero. */
    public INDArray takeZeros(long... shape) {
        INDArray array = take(shape);
        array.assign(0);
        return array;
    }

    private long reserve(long length) {
        if (taken == 0 && blocks.size() > 1) {
            freeBlocks();
            allocate(peak + peak / 16);
        }
        while (block < blocks.size() && top + length > blocks.get(block).length()) {
            block++;
            top = 0;
        }
        if (block == blocks.size()) {
            allocate(Math.max(length, Math.max(FIRST_BLOCK, Math.min(capacity(), LARGEST_GROWTH))));
            top = 0;
        }
        long offset = top;
        top += length;
        inUse += length;
        peak = Math.max(peak, inUse);
        return offset;
    }

    private void allocate(long length) {
        blocks.add(Nd4j.createUninitialized(dataType, length));
        allocations++;
    }

    /** Elements this arena holds, in use or not. */
    public long capacity() {
        long capacity = 0;
        for (INDArray held : blocks) {
            capacity += held.length();
        }
        return capacity;
    }

    /** The most elements that were ever in use at once. */
    public long peak() {
        return peak;
    }

    /** How often it asked for memory. */
    public long allocations() {
        return allocations;
    }

    private void freeBlocks() {
        known.clear();
        blocks.forEach(INDArray::close);
        blocks.clear();
        block = 0;
        top = 0;
    }

    @Override
    public void close() {
        freeBlocks();
        taken = 0;
        inUse = 0;
    }
}
