package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.PackedLinear;
import io.github.rlhf4j.transformer.kernels.WeightFormat;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A linear layer with adapters for decoding, packed with these merged into its weights: what it costs without any. */
final class MergedLinear implements PackedLinear {

    private final Linear layer;
    private final INDArray weight;
    private final INDArray merged;
    private final PackedLinear packed;

    MergedLinear(Linear layer, INDArray weight, @Nullable INDArray bias, WeightFormat format) {
        this.layer = layer;
        this.weight = weight;
        this.merged = weight.dup('c');
        layer.mergeInto(merged);
        this.packed = layer.kernels().pack(merged, bias, format);
    }

    @Override
    public void apply(INDArray in, INDArray out, Arena arena) {
        packed.apply(in, out, arena);
    }

    @Override
    public void addTo(INDArray sum, INDArray in, Arena arena) {
        packed.addTo(sum, in, arena);
    }

    @Override
    public void apply(INDArray in, float[][] rows, Arena arena) {
        packed.apply(in, rows, arena);
    }

    @Override
    public void refresh() {
        merged.assign(weight);
        layer.mergeInto(merged);
        packed.refresh();
    }
}
