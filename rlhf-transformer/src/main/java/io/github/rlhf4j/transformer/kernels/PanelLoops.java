package io.github.rlhf4j.transformer.kernels;

import org.jspecify.annotations.Nullable;

/**
 * The innermost loops of products with packed weights. A panel holds {@link #width()} consecutive columns of a matrix {@code
 * [K, M]}, row after row, so that a product reads it from front to back.
 *
 * <p>An element of the result is one sum over k in ascending order, whichever method computes it: a row has the same bits
 * alone and among others.
 */
interface PanelLoops {

    /** The loops on the Vector API, or null where its module is missing. */
    @Nullable
    PanelLoops ACTIVE = VectorLoopsChoice.panelLoops();

    /** Rows that {@link #addFourRows} multiplies at once. */
    int ROWS = 4;

    /** Columns of a panel. */
    int width();

    /**
     * {@code out[outFrom + j] += Σ_i x[xFrom + i·step]·panels[from + i·width + j]}, i from 0 to k, for the columns j of a
     * panel; the sum begins with what is in {@code out}.
     *
     * @param step elements of x between the factors of one sum: 1, or the width of a transposed matrix
     */
    void addRow(float[] x, int xFrom, int step, float[] panels, int from, int k, float[] out, int outFrom);

    /** As the other {@code addRow}, of a panel of bytes. */
    void addRow(float[] x, int xFrom, int step, byte[] panels, int from, int k, float[] out, int outFrom);

    /**
     * As the first {@code addRow} for {@value #ROWS} rows of x, {@code rowStride} apart, and of out, {@code outStride} apart.
     */
    void addFourRows(
            float[] x,
            int xFrom,
            int rowStride,
            int step,
            float[] panels,
            int from,
            int k,
            float[] out,
            int outFrom,
            int outStride);

    /** As {@link #addFourRows} for any number of rows. */
    default void addRows(
            int rows,
            float[] x,
            int xFrom,
            int rowStride,
            int step,
            float[] panels,
            int from,
            int k,
            float[] out,
            int outFrom,
            int outStride) {
        int i = 0;
        for (; i + ROWS <= rows; i += ROWS) {
            int at = outFrom + i * outStride;
            addFourRows(x, xFrom + i * rowStride, rowStride, step, panels, from, k, out, at, outStride);
        }
        for (; i < rows; i++) {
            addRow(x, xFrom + i * rowStride, step, panels, from, k, out, outFrom + i * outStride);
        }
    }

    /** Each column of a panel of {@code rows} rows at the front of x becomes its softmax. */
    void softmaxOfColumns(float[] x, int rows);

    /** {@code g = w∘(g − Σ w∘g)}, the sum over a column: back through {@link #softmaxOfColumns} whose result is the panel w. */
    void softmaxOfColumnsGradient(float[] g, float[] w, int rows);

    /** {@code out[i] = bytes[from + i]} for i below {@code length}, a multiple of the width. */
    void widen(byte[] bytes, int from, float[] out, int length);
}
