package io.github.rlhf4j.transformer.kernels;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@link WeightFormat#FLOAT32} in panels. */
final class FloatPanels extends PackedPanels {

    private final int panelLength;
    private final float[] weights;

    FloatPanels(PanelLoops loops, WeightSource source, @Nullable INDArray bias) {
        super(loops, source, bias);
        this.panelLength = source.rows() * loops.width();
        this.weights = new float[Math.multiplyExact(panels, panelLength)];
        refresh();
    }

    @Override
    void store(int panel, float[] columns, int from) {
        System.arraycopy(columns, from, weights, panel * panelLength, panelLength);
    }

    @Override
    void product(int panel, float[] x, int rows, float[] out, int outFrom, int outStride) {
        product(x, rows, weights, panel * panelLength, out, outFrom, outStride);
    }
}
