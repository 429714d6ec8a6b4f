package io.github.rlhf4j.transformer.kernels;

import io.github.rlhf4j.transformer.kernels.Kernels.RowFactors;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Embedding, gathering and scattering of whole rows. */
final class FusedRows {

    private FusedRows() {}

    /** {@code out [N, C] = tokenTable[token] + positionTable[position]}, or the former alone. */
    static void embed(
            int[] tokens, int[] positions, INDArray tokenTable, @Nullable INDArray positionTable, INDArray out) {
        if (positionTable == null) {
            gather(tokenTable, tokens, out);
            return;
        }
        check(tokens, tokenTable);
        check(positions, positionTable);
        int width = (int) out.size(1);
        Blocks.rows(tokens.length, width, (from, to) -> {
            float[] rows = Scratch.ofThread().take(0, (to - from) * width);
            float[] position = Scratch.ofThread().take(1, width);
            for (int i = from; i < to; i++) {
                int at = (i - from) * width;
                HostMemory.read(tokenTable, (long) tokens[i] * width, rows, at, width);
                HostMemory.read(positionTable, (long) positions[i] * width, position, 0, width);
                ColumnSums.addInto(position, 0, rows, at, width);
            }
            HostMemory.write(out, (long) from * width, rows, 0, (to - from) * width);
        });
    }

    /** A vector in a slot of the calling thread's {@link Scratch}, one of those that are held while tasks run. */
    static float[] hold(int slot, INDArray vector) {
        int length = (int) vector.length();
        float[] copy = Scratch.ofThread().take(slot, length);
        HostMemory.read(vector, 0, copy, 0, length);
        return copy;
    }

    /** As {@link #hold}; zeros where there is no vector. */
    static float[] holdOrZeros(int slot, @Nullable INDArray vector, int length) {
        return vector == null ? Scratch.ofThread().takeZeros(slot, length) : hold(slot, vector);
    }

    /** In {@code rows} rows the {@code columns} columns from {@code column} on become those of {@code values}; on this thread. */
    static void fill(INDArray matrix, int row, int rows, int column, int columns, float[] values) {
        int width = (int) matrix.size(1);
        int atOnce = rowsAtOnce(rows, columns, width);
        float[] copies = Scratch.ofThread().take(0, atOnce * columns);
        for (int i = 0; i < atOnce; i++) {
            System.arraycopy(values, column, copies, i * columns, columns);
        }
        Blocks.walk(
                row,
                row + rows,
                atOnce,
                (from, to) -> HostMemory.write(matrix, (long) from * width + column, copies, 0, (to - from) * columns));
    }

    /** In {@code rows} rows those of {@code values} are added to the columns from {@code column} on; on this thread. */
    static void addToEach(INDArray matrix, int row, int rows, int column, int columns, float[] values) {
        int width = (int) matrix.size(1);
        int atOnce = rowsAtOnce(rows, columns, width);
        float[] sum = Scratch.ofThread().take(0, atOnce * columns);
        Blocks.walk(row, row + rows, atOnce, (from, to) -> {
            HostMemory.read(matrix, (long) from * width + column, sum, 0, (to - from) * columns);
            for (int i = 0; i < to - from; i++) {
                ColumnSums.addInto(values, column, sum, i * columns, columns);
            }
            HostMemory.write(matrix, (long) from * width + column, sum, 0, (to - from) * columns);
        });
    }

    /** Rows that are copied at a time: those that lie one behind the other, as whole rows do. */
    private static int rowsAtOnce(int rows, int columns, int width) {
        return columns == width ? Math.min(rows, Math.max(1, Blocks.FLOATS / width)) : 1;
    }

    /** {@code out = in∘factors}, row by row. */
    static void multiply(INDArray in, RowFactors factors, INDArray out) {
        int width = (int) in.size(1);
        Blocks.rows((int) in.size(0), width, (from, to) -> {
            int length = (to - from) * width;
            float[] rows = Scratch.ofThread().take(0, length);
            float[] by = Scratch.ofThread().take(1, length);
            HostMemory.read(in, (long) from * width, rows, 0, length);
            for (int row = from; row < to; row++) {
                factors.write(row, by, (row - from) * width);
            }
            multiply(rows, by, length);
            HostMemory.write(out, (long) from * width, rows, 0, length);
        });
    }

    private static void multiply(float[] rows, float[] by, int length) {
        for (int i = 0; i < length; i++) {
            rows[i] *= by[i];
        }
    }

    /** {@code into[i] = from[rows[i]]}. */
    static void gather(INDArray source, int[] rows, INDArray into) {
        check(rows, source);
        int width = (int) source.size(1);
        Blocks.rows(rows.length, width, (from, to) -> {
            float[] gathered = Scratch.ofThread().take(0, (to - from) * width);
            for (int i = from; i < to; i++) {
                HostMemory.read(source, (long) rows[i] * width, gathered, (i - from) * width, width);
            }
            HostMemory.write(into, (long) from * width, gathered, 0, (to - from) * width);
        });
    }

    /**
     * {@code into[rows[i]] += from[i]}: addends of one row are added in ascending i, so the number of threads does not
     * matter.
     */
    static void scatterAdd(INDArray source, int[] rows, INDArray into) {
        check(rows, into);
        int width = (int) source.size(1);
        int[] ends = endsByRow(rows, (int) into.size(0));
        int[] order = orderByRow(rows, ends);
        int places = ends.length;
        int perTask = (int) Math.max(1, (long) places * 64 / Math.max(1, rows.length));
        Parallel.rows(places, perTask, (first, last) -> {
            float[] sum = Scratch.ofThread().take(0, width);
            float[] addend = Scratch.ofThread().take(1, width);
            for (int place = first; place < last; place++) {
                int start = place == 0 ? 0 : ends[place - 1];
                if (start == ends[place]) {
                    continue;
                }
                HostMemory.read(into, (long) place * width, sum, 0, width);
                for (int k = start; k < ends[place]; k++) {
                    HostMemory.read(source, (long) order[k] * width, addend, 0, width);
                    ColumnSums.addInto(addend, 0, sum, 0, width);
                }
                HostMemory.write(into, (long) place * width, sum, 0, width);
            }
        });
    }

    /** For each row of the target: how many entries of {@code rows} name it or one before it. */
    private static int[] endsByRow(int[] rows, int places) {
        int[] ends = new int[places];
        for (int row : rows) {
            ends[row]++;
        }
        for (int place = 1; place < places; place++) {
            ends[place] += ends[place - 1];
        }
        return ends;
    }

    /** The indices of {@code rows}, ordered by the row they name, then ascending. */
    private static int[] orderByRow(int[] rows, int[] ends) {
        int[] free = ends.clone();
        int[] order = new int[rows.length];
        for (int i = rows.length - 1; i >= 0; i--) {
            order[--free[rows[i]]] = i;
        }
        return order;
    }

    private static void check(int[] rows, INDArray table) {
        long count = table.size(0);
        for (int row : rows) {
            if (row < 0 || row >= count) {
                throw new IndexOutOfBoundsException("row " + row + " of a matrix of " + count + " rows");
            }
        }
    }
}
