package io.github.rlhf4j.transformer.kernels;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Weights {@code [K, M]} in panels on the heap, the last one filled up with zeros; threads take ranges of panels. Zeros
 * follow no weight of a sum, so a row's result depends on neither the number of rows nor that of threads, to the bit.
 */
abstract class PackedPanels implements PackedLinear {

    /** Multiplications below which another thread costs more than it brings. */
    private static final long WORTH_A_THREAD = 1 << 18;

    private static final int MOST_PARTS = 16;

    /** The slot of {@link Scratch} with a part's results. */
    private static final int RESULTS = 8;

    private static final int SUMS = 9;

    final PanelLoops loops;
    final WeightSource source;
    final int panels;
    private final float[] bias;
    private final @Nullable INDArray biasSource;
    private final Queue<float[]> inputs = new ConcurrentLinkedQueue<>();

    PackedPanels(PanelLoops loops, WeightSource source, @Nullable INDArray bias) {
        this.loops = loops;
        this.source = source;
        this.panels = (source.columns() + loops.width() - 1) / loops.width();
        this.biasSource = bias;
        this.bias = new float[source.columns()];
    }

    /** The product of {@code rows} rows of x, K elements apart, with a panel, added to columns of {@code out}. */
    abstract void product(int panel, float[] x, int rows, float[] out, int outFrom, int outStride);

    /** Takes the weights of a panel, {@code [K, width]} from an offset on. */
    abstract void store(int panel, float[] columns, int from);

    /** The product of rows of x with one panel of floats. */
    final void product(float[] x, int rows, float[] panel, int from, float[] out, int outFrom, int outStride) {
        int k = source.rows();
        loops.addRows(rows, x, 0, k, 1, panel, from, k, out, outFrom, outStride);
    }

    /** Where finished elements go: {@code length} of them, of a row, from a column on. */
    @FunctionalInterface
    private interface Sink {
        void accept(int row, int column, float[] values, int from, int length);
    }

    @Override
    public void refresh() {
        if (biasSource != null) {
            HostMemory.read(biasSource, bias);
        }
        int width = loops.width();
        Parallel.rows(panels, 1, (from, to) -> source.read(from, to, width, this::store));
    }

    @Override
    public void apply(INDArray in, INDArray out, Arena arena) {
        long width = source.columns();
        run(
                in,
                (row, column, values, from, length) ->
                        HostMemory.write(out, row * width + column, values, from, length));
    }

    @Override
    public void addTo(INDArray sum, INDArray in, Arena arena) {
        long width = source.columns();
        run(in, (row, column, values, from, length) -> {
            float[] before = Scratch.ofThread().take(SUMS, length);
            HostMemory.read(sum, row * width + column, before, 0, length);
            ColumnSums.addInto(values, from, before, 0, length);
            HostMemory.write(sum, row * width + column, before, 0, length);
        });
    }

    @Override
    public void apply(INDArray in, float[][] rows, Arena arena) {
        run(in, (row, column, values, from, length) -> System.arraycopy(values, from, rows[row], column, length));
    }

    private void run(INDArray in, Sink sink) {
        int rows = (int) in.size(0);
        float[] x = takeInput(rows * source.rows());
        HostMemory.read(in, x);
        long work = (long) rows * source.rows() * source.columns();
        int parts = work < WORTH_A_THREAD ? 1 : Math.max(1, Math.min(MOST_PARTS, panels / 4));
        Parallel.each(
                parts,
                part -> part(
                        x, rows, Parallel.bound(panels, parts, part), Parallel.bound(panels, parts, part + 1), sink));
        inputs.add(x);
    }

    private float[] takeInput(int length) {
        float[] known = inputs.poll();
        return known != null && known.length >= length ? known : new float[length];
    }

    private void part(float[] x, int rows, int firstPanel, int lastPanel, Sink sink) {
        int first = firstPanel * loops.width();
        int stride = (lastPanel - firstPanel) * loops.width();
        int length = Math.min(stride, source.columns() - first);
        float[] results = Scratch.ofThread().takeZeros(RESULTS, rows * stride);
        for (int panel = firstPanel; panel < lastPanel; panel++) {
            product(panel, x, rows, results, (panel - firstPanel) * loops.width(), stride);
        }
        for (int row = 0; row < rows; row++) {
            ColumnSums.addInto(bias, first, results, row * stride, length);
            sink.accept(row, first, results, row * stride, length);
        }
    }
}
