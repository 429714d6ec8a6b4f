package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.backend.ComputeBackend;
import io.github.rlhf4j.transformer.kernels.Int8Matrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * All parameters of a model in one flat buffer, their gradients in a second one; layers hold named views. Clipping, the
 * update, saving, and copying to a reference policy are then one vector operation each. A model that never goes backward,
 * such as a reference policy, has no gradients.
 *
 * <p>A store whose linear layers are int8 ({@link Builder#allocateInt8}) holds their matrices beside the flat buffer and is
 * frozen: its {@link #parameters} are the others.
 */
public final class ParameterStore implements AutoCloseable {

    private final DataType dataType;
    private final INDArray values;

    /** Whose values these are; null for a store of its own. */
    private final @Nullable ParameterStore owner;

    private final @Nullable Int8Weights int8;

    private final Map<String, Parameter> parameters = new LinkedHashMap<>();
    private @Nullable INDArray gradients;
    private volatile long version;

    private ParameterStore(
            DataType dataType, INDArray values, @Nullable ParameterStore owner, @Nullable Int8Weights int8) {
        this.dataType = dataType;
        this.values = values;
        this.owner = owner;
        this.int8 = int8;
    }

    /** Declares parameters in the order they are stored, then allocates them together. */
    public static final class Builder {

        private record Declared(String name, long[] shape, boolean decayed, boolean linear) {

            long length() {
                return Arrays.stream(shape).reduce(1, Math::multiplyExact);
            }
        }

        /**
         * Weights of linear layers.
         *
         * @param elements of all matrices
         * @param columns of all matrices: outputs of layers
         */
        public record LinearCount(long elements, long columns) {}

        private final List<Declared> declared = new ArrayList<>();

        /** A weight matrix {@code [rows, columns]}, decayed. */
        public Builder matrix(String name, long rows, long columns) {
            declared.add(new Declared(name, new long[] {rows, columns}, true, false));
            return this;
        }

        /** As {@link #matrix}, the weight {@code [in, out]} of a linear layer, which may be held as int8. */
        public Builder linear(String name, long in, long out) {
            declared.add(new Declared(name, new long[] {in, out}, true, true));
            return this;
        }

        /** A gain or bias {@code [length]}, not decayed. */
        public Builder vector(String name, long length) {
            declared.add(new Declared(name, new long[] {length}, false, false));
            return this;
        }

        /** The shape of what was declared, by name, in this order. */
        public Map<String, long[]> shapes() {
            Map<String, long[]> shapes = new LinkedHashMap<>();
            declared.forEach(d -> shapes.put(d.name(), d.shape()));
            return shapes;
        }

        /** Number of parameters declared, P. */
        public long count() {
            long total = 0;
            for (Declared d : declared) {
                total = Math.addExact(total, d.length());
            }
            return total;
        }

        /** Number of those that are weights of linear layers, and of their columns. */
        public LinearCount linearCount() {
            long elements = 0;
            long columns = 0;
            for (Declared d : declared) {
                if (d.linear()) {
                    elements = Math.addExact(elements, d.length());
                    columns += d.shape()[1];
                }
            }
            return new LinearCount(elements, columns);
        }

        /**
         * Allocates the values, all zero.
         *
         * @param dataType FLOAT for training, DOUBLE for gradient checks
         * @throws IllegalStateException when no compute backend can be loaded, see {@link ComputeBackend#select}
         */
        public ParameterStore allocate(DataType dataType) {
            ComputeBackend.ensureSelected();
            ParameterStore store = new ParameterStore(dataType, Nd4j.zeros(dataType, count()), null, null);
            declared.forEach(store::add);
            return store;
        }

        /**
         * Allocates the values, all zero, the weights of linear layers as int8. The store is frozen.
         *
         * @param dataType of the other parameters
         */
        public ParameterStore allocateInt8(DataType dataType) {
            ComputeBackend.ensureSelected();
            Map<String, long[]> matrices = new LinkedHashMap<>();
            declared.stream().filter(Declared::linear).forEach(d -> matrices.put(d.name(), d.shape()));
            INDArray values = Nd4j.zeros(dataType, count() - linearCount().elements());
            ParameterStore store = new ParameterStore(dataType, values, null, new Int8Weights(matrices));
            declared.stream().filter(d -> !d.linear()).forEach(store::add);
            return store;
        }
    }

    private void add(Builder.Declared d) {
        long offset = parameters.values().stream().mapToLong(Parameter::length).sum();
        Parameter parameter = new Parameter(this, d.name(), d.shape(), offset, d.decayed());
        if (parameters.put(d.name(), parameter) != null) {
            throw new IllegalArgumentException("parameter " + d.name() + " is declared twice");
        }
    }

    /**
     * The same values in the same memory, to be read: without gradients, and not closed with this. It is usable until the
     * store that owns the memory is closed.
     */
    public ParameterStore frozen() {
        ParameterStore frozen = new ParameterStore(dataType, values, owner == null ? this : owner, int8);
        parameters.forEach((name, p) ->
                frozen.parameters.put(name, new Parameter(frozen, name, p.shape(), p.offset(), p.decayed())));
        return frozen;
    }

    /** Whether this has no gradients: it is {@link #frozen}, or has int8 weights. */
    public boolean isFrozen() {
        return owner != null || int8 != null;
    }

    /** Whether the weights of linear layers are int8. */
    public boolean hasInt8() {
        return int8 != null;
    }

    /** The int8 weight of this name; null when there is none. */
    public @Nullable Int8Matrix int8(String name) {
        return int8 == null ? null : int8.get(name);
    }

    /** Shapes by name, {@code [rows, columns]} or {@code [length]}, int8 weights included. */
    public Map<String, long[]> shapes() {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        parameters.forEach((name, parameter) -> shapes.put(name, parameter.shape()));
        if (int8 != null) {
            for (String name : int8.names()) {
                Int8Matrix matrix = int8.get(name);
                shapes.put(name, new long[] {matrix.rows(), matrix.columns()});
            }
        }
        return shapes;
    }

    /**
     * Sets an int8 weight, see {@link Int8Matrix#round}.
     *
     * @param weight {@code [K, M]}
     * @throws IllegalArgumentException when there is no such weight, or a number in it is not finite
     */
    public void round(String name, INDArray weight) {
        Int8Matrix matrix = int8(name);
        if (matrix == null) {
            throw new IllegalArgumentException("no int8 weight " + name);
        }
        try {
            matrix.round(weight);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(name + ": " + e.getMessage(), e);
        }
    }

    /** A 'c'-ordered view of {@code shape} into a flat buffer of the same layout, starting at {@code offset}. */
    public static INDArray view(INDArray flat, long offset, long... shape) {
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= shape[i];
        }
        return Nd4j.create(flat.data(), shape, strides, offset, 'c');
    }

    public DataType dataType() {
        return dataType;
    }

    /** All values, {@code [P]}. Whoever writes to them, or to a parameter's view of them, calls {@link #changed} after. */
    public INDArray values() {
        return values;
    }

    /** Says that values were written to: copies of them, such as those that decode, are out of date. For one thread. */
    public void changed() {
        if (owner == null) {
            version = version + 1;
        } else {
            owner.changed();
        }
    }

    /** Equal at two times if no change was told between them; see {@link #changed}. */
    public long version() {
        return owner == null ? version : owner.version();
    }

    /**
     * All gradients, {@code [P]}, laid out as {@link #values()}; zero, and allocated, when first asked for.
     *
     * @throws IllegalStateException when this is frozen
     */
    public INDArray gradients() {
        if (isFrozen()) {
            throw new IllegalStateException("a frozen store has no gradients: its values are not trained");
        }
        INDArray known = gradients;
        if (known == null) {
            known = Nd4j.zeros(dataType, count());
            gradients = known;
        }
        return known;
    }

    /** Sets all gradients to zero. */
    public void clearGradients() {
        if (gradients != null) {
            gradients.assign(0);
        }
    }

    /** Bytes that values and gradients take now; 0 when they are another store's. */
    public long bytes() {
        if (owner != null) {
            return 0;
        }
        return (gradients == null ? 1 : 2) * count() * dataType.width() + (int8 == null ? 0 : int8.memory());
    }

    /** Number of parameters, P; without int8 weights. */
    public long count() {
        return values.length();
    }

    /** The parameters in stored order; without int8 weights. */
    public List<Parameter> parameters() {
        return List.copyOf(parameters.values());
    }

    /**
     * The parameter of this name.
     *
     * @throws IllegalArgumentException when there is none
     */
    public Parameter get(String name) {
        Parameter parameter = parameters.get(name);
        if (parameter == null) {
            throw new IllegalArgumentException(
                    "no parameter " + name + "; there are " + String.join(", ", parameters.keySet()));
        }
        return parameter;
    }

    public boolean contains(String name) {
        return parameters.containsKey(name);
    }

    /** Copies the values of another store with the same parameters, to the same bits. */
    public void copyValuesFrom(ParameterStore other) {
        if (!parameters.keySet().equals(other.parameters.keySet()) || count() != other.count()) {
            throw new IllegalArgumentException("the stores hold different parameters: " + count() + " values in "
                    + parameters.size() + " tensors here, " + other.count() + " in " + other.parameters.size()
                    + " there");
        }
        values.assign(other.values);
        changed();
    }

    @Override
    public void close() {
        if (owner != null) {
            return;
        }
        values.close();
        if (gradients != null) {
            gradients.close();
        }
        if (int8 != null) {
            int8.close();
        }
    }
}
