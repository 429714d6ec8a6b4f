package io.github.rlhf4j.transformer.kernels;

import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Memory for activations, taken from the top and given back in reverse, as a stack. Fresh allocations of this size cost
 * more than the operations on them (page faults), so an arena keeps what it once had and a training step in the steady
 * state allocates nothing. One owner, one thread.
 */
public final class Arena implements AutoCloseable {

    private static final long FIRST_BLOCK = 1L << 20;

    private final DataType dataType;
    private final List<INDArray> blocks = new ArrayList<>();
    private int block;
    private long top;

    /** An empty arena for arrays of this type. */
    public Arena(DataType dataType) {
        this.dataType = dataType;
    }

    /** A place in the stack of allocations. */
    public record Mark(int block, long top) {}

    public DataType dataType() {
        return dataType;
    }

    public Mark mark() {
        return new Mark(block, top);
    }

    /** Gives back everything that was taken since {@code mark}; arrays taken since must not be used any more. */
    public void release(Mark mark) {
        block = mark.block();
        top = mark.top();
    }

    /** An uninitialised 'c'-ordered array of this shape. */
    public INDArray take(long... shape) {
        long[] strides = new long[shape.length];
        long length = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            strides[i] = length;
            length = Math.multiplyExact(length, shape[i]);
        }
        long offset = reserve(length);
        return Nd4j.create(blocks.get(block).data(), shape, strides, offset, 'c');
    }

    /** An array of this shape, all zero. */
    public INDArray takeZeros(long... shape) {
        INDArray array = take(shape);
        array.assign(0);
        return array;
    }

    private long reserve(long length) {
        while (block < blocks.size() && top + length > blocks.get(block).length()) {
            block++;
            top = 0;
        }
        if (block == blocks.size()) {
            long grown =
                    blocks.isEmpty() ? FIRST_BLOCK : 2 * blocks.get(block - 1).length();
            blocks.add(Nd4j.createUninitialized(dataType, Math.max(length, Math.min(grown, 1L << 26))));
            top = 0;
        }
        long offset = top;
        top += length;
        return offset;
    }

    /** Elements this arena holds, in use or not. */
    public long capacity() {
        return blocks.stream().mapToLong(INDArray::length).sum();
    }

    @Override
    public void close() {
        blocks.forEach(INDArray::close);
        blocks.clear();
        block = 0;
        top = 0;
    }
}
