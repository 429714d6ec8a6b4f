package io.github.rlhf4j.transformer.kernels;

import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The weights {@code [K, M]} that packed ones are a copy of.
 *
 * @param matrix reads from a matrix {@code [K, M]}, or {@code [M, K]} when transposed
 * @param rows K
 * @param columns M
 * @param transposed whether a row of the matrix holds the weights of one output
 */
record WeightSource(Matrix matrix, int rows, int columns, boolean transposed) {

    /** Copies elements of a row-major matrix; from one row alone where it is not transposed. */
    @FunctionalInterface
    interface Matrix {
        void read(long element, float[] into, int length);
    }

    /** {@code matrix} is {@code [K, M]}, or {@code [M, K]} when transposed. */
    static WeightSource of(INDArray matrix, boolean transposed) {
        return new WeightSource(
                (element, into, length) -> HostMemory.read(matrix, element, into, 0, length),
                (int) matrix.size(transposed ? 1 : 0),
                (int) matrix.size(transposed ? 0 : 1),
                transposed);
    }

    static WeightSource of(Int8Matrix matrix) {
        float[] scales = new float[matrix.columns()];
        HostMemory.read(matrix.scales(), scales);
        return new WeightSource(
                (element, into, length) -> {
                    int row = (int) (element / matrix.columns());
                    int column = (int) (element % matrix.columns());
                    float[] own = Arrays.copyOfRange(scales, column, column + length);
                    FusedInt8.widen(matrix, row, column, length, own, into, 0);
                },
                matrix.rows(),
                matrix.columns(),
                false);
    }

    /** Elements of scratch that stay in a core's cache, about. */
    private static final int CACHED = 1 << 17;

    private static final int FEWEST_PANELS = 4;

    /** Slots of {@link Scratch}. */
    private static final int BLOCK = 10;

    private static final int LINE = 11;

    /** Takes a panel {@code [K, width]} from an offset of an array. */
    @FunctionalInterface
    interface PanelSink {
        void accept(int panel, float[] values, int from);
    }

    /** Hands out the panels {@code [first, last)} of this width; columns past M are zero. On this thread. */
    void read(int first, int last, int width, PanelSink sink) {
        int group = transposed ? 1 : Math.max(FEWEST_PANELS, CACHED / (rows() * width));
        for (int panel = first; panel < last; panel += group) {
            int count = Math.min(group, last - panel);
            float[] block = Scratch.ofThread().take(BLOCK, count * rows() * width);
            if (transposed) {
                readTransposed(panel, width, block);
            } else {
                readRows(panel, count, width, block);
            }
            for (int p = 0; p < count; p++) {
                sink.accept(panel + p, block, p * rows() * width);
            }
        }
    }

    private void readRows(int panel, int count, int width, float[] block) {
        int first = panel * width;
        int length = Math.min(count * width, columns() - first);
        float[] line = Scratch.ofThread().takeZeros(LINE, count * width);
        for (int k = 0; k < rows(); k++) {
            matrix.read((long) k * columns() + first, line, length);
            for (int p = 0; p < count; p++) {
                System.arraycopy(line, p * width, block, (p * rows() + k) * width, width);
            }
        }
    }

    private void readTransposed(int panel, int width, float[] block) {
        int first = panel * width;
        int outputs = Math.min(width, columns() - first);
        float[] lines = Scratch.ofThread().take(LINE, width * rows());
        matrix.read((long) first * rows(), lines, outputs * rows());
        Arrays.fill(lines, outputs * rows(), width * rows(), 0);
        for (int k = 0; k < rows(); k++) {
            for (int j = 0; j < width; j++) {
                block[k * width + j] = lines[j * rows() + k];
            }
        }
    }
}
