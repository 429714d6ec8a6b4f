package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.Int8Matrix;
import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.kernels.PackedLinear;
import io.github.rlhf4j.transformer.kernels.WeightFormat;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The weight {@code [K, M]} of a linear layer and its bias {@code [M]}, whatever the weight is held as. */
sealed interface LinearWeight {

    String name();

    /** {@code [K, M]}. */
    long[] shape();

    /** {@code out = in·weight + bias}. */
    void forward(INDArray in, INDArray out, Arena arena);

    /** {@code sum += in·weight + bias}. */
    void addTo(INDArray sum, INDArray in, Arena arena);

    /** {@code dIn = dOut·weightᵀ}; adds the gradients of weight and bias where they are trained. */
    void backward(INDArray dOut, INDArray in, INDArray dIn, Arena arena);

    /**
     * For decoding, with what the layer's adapters add.
     *
     * @param layer the one that this is the weight of
     * @param format of floats; bytes stay bytes
     */
    PackedLinear pack(Linear layer, WeightFormat format);

    static LinearWeight of(ParameterStore store, String layer, Kernels kernels) {
        String name = layer + ".weight";
        Parameter bias = store.contains(layer + ".bias") ? store.get(layer + ".bias") : null;
        Int8Matrix rounded = store.int8(name);
        return rounded == null
                ? new InFloat(store.get(name), bias, kernels)
                : new InInt8(name, rounded, Parameter.value(bias), kernels);
    }

    /** Numbers of the store's own type. */
    record InFloat(Parameter weight, @Nullable Parameter bias, Kernels kernels) implements LinearWeight {

        @Override
        public String name() {
            return weight.name();
        }

        @Override
        public long[] shape() {
            return weight.shape();
        }

        @Override
        public void forward(INDArray in, INDArray out, Arena arena) {
            kernels.linear(in, weight.value(), Parameter.value(bias), out);
        }

        @Override
        public void addTo(INDArray sum, INDArray in, Arena arena) {
            kernels.addLinear(in, weight.value(), Parameter.value(bias), sum);
        }

        @Override
        public void backward(INDArray dOut, INDArray in, INDArray dIn, Arena arena) {
            kernels.linearBackward(
                    dOut, in, weight.value(), dIn, Parameter.gradient(weight), Parameter.gradient(bias), arena);
        }

        @Override
        public PackedLinear pack(Linear layer, WeightFormat format) {
            return layer.adapters().isEmpty()
                    ? kernels.pack(weight.value(), Parameter.value(bias), format)
                    : new MergedLinear(layer, weight.value(), Parameter.value(bias), format);
        }
    }

    /** Bytes, which are not trained, and neither is the bias beside them. */
    record InInt8(String name, Int8Matrix weight, @Nullable INDArray bias, Kernels kernels) implements LinearWeight {

        @Override
        public long[] shape() {
            return new long[] {weight.rows(), weight.columns()};
        }

        @Override
        public void forward(INDArray in, INDArray out, Arena arena) {
            kernels.linear(in, weight, bias, out, arena);
        }

        @Override
        public void addTo(INDArray sum, INDArray in, Arena arena) {
            kernels.addLinear(in, weight, bias, sum, arena);
        }

        @Override
        public void backward(INDArray dOut, INDArray in, INDArray dIn, Arena arena) {
            kernels.linearBackward(dOut, weight, dIn, arena);
        }

        @Override
        public PackedLinear pack(Linear layer, WeightFormat format) {
            PackedLinear packed = kernels.pack(weight, bias);
            return layer.adapters().isEmpty() ? packed : new AdaptedLinear(layer, packed);
        }
    }
}
