package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.kernels.PackedLinear;
import io.github.rlhf4j.transformer.kernels.WeightFormat;
import java.util.List;
import java.util.stream.Stream;

/**
 * A model's weight matrices packed for decoding.
 *
 * @param blocks one for each block
 * @param head hidden states to logits
 */
record DecodingWeights(List<OfBlock> blocks, PackedLinear head) {

    /** The linear layers of a block, in the order they are used. */
    record OfBlock(PackedLinear project, PackedLinear output, PackedLinear widen, PackedLinear narrow) {

        static OfBlock of(Block block, WeightFormat format) {
            return new OfBlock(
                    block.attention.project().pack(format),
                    block.attention.output().pack(format),
                    block.feedForward.widen().pack(format),
                    block.feedForward.narrow().pack(format));
        }
    }

    static DecodingWeights of(Transformer model, Kernels kernels, WeightFormat format) {
        return new DecodingWeights(
                model.blocks().stream().map(block -> OfBlock.of(block, format)).toList(),
                kernels.packTransposed(model.headTable().value(), format));
    }

    /** Takes the model's weights as they are now. */
    void refresh() {
        blocks.stream()
                .flatMap(b -> Stream.of(b.project(), b.output(), b.widen(), b.narrow()))
                .forEach(PackedLinear::refresh);
        head.refresh();
    }
}
