package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.backend.ComputeBackend;
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
 */
public final class ParameterStore implements AutoCloseable {

    private final DataType dataType;
    private final INDArray values;

    /** Whose values these are; null for a store of its own. */
    private final @Nullable ParameterStore owner;

    private final Map<String, Parameter> parameters = new LinkedHashMap<>();
    private @Nullable INDArray gradients;
    private volatile long version;

    private ParameterStore(DataType dataType, INDArray values, @Nullable ParameterStore owner) {
        this.dataType = dataType;
        this.values = values;
        this.owner = owner;
    }

    /** Declares parameters in the order they are stored, then allocates them together. */
    public static final class Builder {

        private record Declared(String name, long[] shape, boolean decayed) {}

        private final List<Declared> declared = new ArrayList<>();

        /** A weight matrix {@code [rows, columns]}, decayed. */
        public Builder matrix(String name, long rows, long columns) {
            declared.add(new Declared(name, new long[] {rows, columns}, true));
            return this;
        }

        /** A gain or bias {@code [length]}, not decayed. */
        public Builder vector(String name, long length) {
            declared.add(new Declared(name, new long[] {length}, false));
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
                total = Math.addExact(total, Arrays.stream(d.shape()).reduce(1, Math::multiplyExact));
            }
            return total;
        }

        /**
         * Allocates the values, all zero.
         *
         * @param dataType FLOAT for training, DOUBLE for gradient checks
         * @throws IllegalStateException when no compute backend can be loaded, see {@link ComputeBackend#select}
         */
        public ParameterStore allocate(DataType dataType) {
            ComputeBackend.ensureSelected();
            ParameterStore store = new ParameterStore(dataType, Nd4j.zeros(dataType, count()), null);
            declared.forEach(store::add);
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
        ParameterStore frozen = new ParameterStore(dataType, values, owner == null ? this : owner);
        parameters.forEach((name, p) ->
                frozen.parameters.put(name, new Parameter(frozen, name, p.shape(), p.offset(), p.decayed())));
        return frozen;
    }

    /** Whether this has no gradients and does not own its memory, see {@link #frozen}. */
    public boolean isFrozen() {
        return owner != null;
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
        if (owner != null) {
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
        return owner != null ? 0 : (gradients == null ? 1 : 2) * count() * dataType.width();
    }

    /** Number of parameters, P. */
    public long count() {
        return values.length();
    }

    /** The parameters in stored order. */
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
    }
}
