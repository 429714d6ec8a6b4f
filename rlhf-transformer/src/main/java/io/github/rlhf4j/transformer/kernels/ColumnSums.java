package io.github.rlhf4j.transformer.kernels;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Sums over rows, the same bits for every number of threads: a fixed partition, its partial sums added in order. */
final class ColumnSums {

    private final float[][] partial;

    ColumnSums(int partitions, int width) {
        this.partial = new float[partitions][width];
    }

    /** {@code sums [M] += Σ_rows matrix [N, M]}. */
    static void add(INDArray matrix, INDArray sums) {
        int rows = (int) matrix.size(0);
        int width = (int) matrix.size(1);
        int partitions = Blocks.partitions(rows, width);
        ColumnSums columns = new ColumnSums(partitions, width);
        int perBlock = Math.max(1, Blocks.FLOATS / width);
        Parallel.partitions(
                rows,
                partitions,
                (p, first, last) -> Blocks.walk(first, last, perBlock, (from, to) -> {
                    float[] block = Scratch.ofThread().take(0, (to - from) * width);
                    HostMemory.read(matrix, (long) from * width, block, 0, (to - from) * width);
                    for (int row = 0; row < to - from; row++) {
                        addInto(block, row * width, columns.of(p), 0, width);
                    }
                }));
        columns.addTo(sums);
    }

    /** The sums of one partition. */
    float[] of(int partition) {
        return partial[partition];
    }

    /** {@code sums += Σ_partitions}. */
    void addTo(INDArray sums) {
        float[] total = partial[0];
        for (int p = 1; p < partial.length; p++) {
            addInto(partial[p], 0, total, 0, total.length);
        }
        float[] before = new float[total.length];
        HostMemory.read(sums, before);
        addInto(total, 0, before, 0, total.length);
        HostMemory.write(sums, before);
    }

    /** {@code to[i] += from[i]}. */
    static void addInto(float[] from, int fromAt, float[] to, int toAt, int length) {
        for (int i = 0; i < length; i++) {
            to[toAt + i] += from[fromAt + i];
        }
    }
}
