package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.PackedLinear;
import io.github.rlhf4j.transformer.kernels.WeightFormat;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A linear layer with adapters for decoding, packed with these merged into its weights: what it costs without any. */
final class MergedLinear implements PackedLinear {

    private final Linear layer;
    private final INDArray merged;
    private final PackedLinear packed;

    MergedLinear(Linear layer, WeightFormat format) {
        this.layer = layer;
        this.merged = layer.weight().value().dup('c');
        layer.mergeInto(merged);
        this.packed = layer.kernels().pack(merged, Parameter.value(layer.bias()), format);
    }

    @Override
    public void apply(INDArray in, INDArray out) {
        packed.apply(in, out);
    }

    @Override
    public void addTo(INDArray sum, INDArray in) {
        packed.addTo(sum, in);
    }

    @Override
    public void apply(INDArray in, float[][] rows, Arena arena) {
        packed.apply(in, rows, arena);
    }

    @Override
    public void refresh() {
        merged.assign(layer.weight().value());
        layer.mergeInto(merged);
        packed.refresh();
    }
}
