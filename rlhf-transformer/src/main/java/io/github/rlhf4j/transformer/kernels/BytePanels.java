package io.github.rlhf4j.transformer.kernels;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@link WeightFormat#INT8} in panels: a quarter of the memory traffic, which is what a product with one row costs. */
final class BytePanels extends PackedPanels {

    /** The slot of {@link Scratch} with a panel in float. */
    private static final int WIDENED = 12;

    private final int panelLength;
    private final byte[] weights;
    private final float[] scales;

    BytePanels(PanelLoops loops, WeightSource source, @Nullable INDArray bias) {
        super(loops, source, bias);
        this.panelLength = source.rows() * loops.width();
        this.weights = new byte[Math.multiplyExact(panels, panelLength)];
        this.scales = new float[panels * loops.width()];
        refresh();
    }

    @Override
    void store(int panel, float[] columns, int from) {
        int width = loops.width();
        for (int j = 0; j < width; j++) {
            float scale = Int8.scale(columns, from + j, width, source.rows());
            scales[panel * width + j] = scale;
            for (int k = 0; k < source.rows(); k++) {
                weights[panel * panelLength + k * width + j] = Int8.quantize(columns[from + k * width + j], scale);
            }
        }
    }

    /** With enough rows the panel is widened to float once for all of them: the same products, so the same bits. */
    @Override
    void product(int panel, float[] x, int rows, float[] out, int outFrom, int outStride) {
        int from = panel * panelLength;
        if (rows < PanelLoops.ROWS) {
            for (int row = 0; row < rows; row++) {
                loops.addRow(x, row * source.rows(), 1, weights, from, source.rows(), out, outFrom + row * outStride);
            }
        } else {
            float[] widened = Scratch.ofThread().take(WIDENED, panelLength);
            loops.widen(weights, from, widened, panelLength);
            product(x, rows, widened, 0, out, outFrom, outStride);
        }
        scale(panel, rows, out, outFrom, outStride);
    }

    private void scale(int panel, int rows, float[] out, int outFrom, int outStride) {
        int first = panel * loops.width();
        for (int row = 0; row < rows; row++) {
            int at = outFrom + row * outStride;
            for (int j = 0; j < loops.width(); j++) {
                out[at + j] *= scales[first + j];
            }
        }
    }
}
