package io.github.rlhf4j.transformer.kernels;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Sums over rows, the same bits for every number of threads: a fixed partition, its partial sums added in order. */
final class ColumnSums {

    private final float[] sums;
    private final int partitions;
    private final int width;

    /** All zero, in a slot of the calling thread's {@link Scratch}, which holds them until the next of the same slot. */
    ColumnSums(int slot, int partitions, int width) {
        this.sums = Scratch.ofThread().takeZeros(slot, partitions * width);
        this.partitions = partitions;
        this.width = width;
    }

    /** {@code sums [M] += Σ_rows matrix [N, M]}. */
    static void add(INDArray matrix, INDArray sums) {
        int rows = (int) matrix.size(0);
        int width = (int) matrix.size(1);
        int partitions = Blocks.partitions(rows, width);
        ColumnSums columns = new ColumnSums(Scratch.HELD, partitions, width);
        int perBlock = Math.max(1, Blocks.FLOATS / width);
        Parallel.partitions(
                rows,
                partitions,
                (p, first, last) -> Blocks.walk(first, last, perBlock, (from, to) -> {
                    float[] block = Scratch.ofThread().take(0, (to - from) * width);
                    HostMemory.read(matrix, (long) from * width, block, 0, (to - from) * width);
                    for (int row = 0; row < to - from; row++) {
                        addInto(block, row * width, columns.all(), columns.at(p), width);
                    }
                }));
        columns.addTo(sums);
    }

    /** The sums of all partitions; those of one begin {@link #at} its place. */
    float[] all() {
        return sums;
    }

    int at(int partition) {
        return partition * width;
    }

    /** {@code sums += Σ_partitions}. */
    void addTo(INDArray vector) {
        for (int p = 1; p < partitions; p++) {
            addInto(sums, at(p), sums, 0, width);
        }
        float[] before = Scratch.ofThread().take(0, width);
        HostMemory.read(vector, 0, before, 0, width);
        addInto(sums, 0, before, 0, width);
        HostMemory.write(vector, 0, before, 0, width);
    }

    /** {@code to[i] += from[i]}. */
    static void addInto(float[] from, int fromAt, float[] to, int toAt, int length) {
        for (int i = 0; i < length; i++) {
            to[toAt + i] += from[fromAt + i];
        }
    }
}
