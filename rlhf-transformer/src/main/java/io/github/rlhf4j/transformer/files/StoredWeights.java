package io.github.rlhf4j.transformer.files;

import io.github.rlhf4j.transformer.kernels.Int8Matrix;
import io.github.rlhf4j.transformer.model.Parameter;
import io.github.rlhf4j.transformer.model.ParameterStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The weights of a model in a tensor file, whatever its format.
 *
 * @param file the file
 * @param parts what it must hold, under the names that it has
 */
record StoredWeights(TensorFile file, List<StoredPart> parts) {

    /** Elements that are read at a time where the file has them as the parameter has. */
    private static final int CHUNK = 1 << 20;

    /** These parts under the names of the file, which may lack a prefix. */
    static StoredWeights of(TensorFile file, List<StoredPart> parts, String prefix) {
        return new StoredWeights(
                file, parts.stream().map(part -> found(file, part, prefix)).toList());
    }

    private static StoredPart found(TensorFile file, StoredPart part, String prefix) {
        if (file.tensors().containsKey(part.name()) || !part.name().startsWith(prefix)) {
            return part;
        }
        String bare = part.name().substring(prefix.length());
        return file.tensors().containsKey(bare) ? part.named(bare) : part;
    }

    /**
     * Compares names and shapes.
     *
     * @param shapes those of the parameters
     * @param source where the shape was asked for, {@code "config.json"}
     */
    void requireShapes(Map<String, long[]> shapes, String source) throws IOException {
        for (StoredPart part : parts) {
            long[] shape = part.shape(shapes.get(part.parameter()));
            TensorInfo tensor = file.tensors().get(part.name());
            if (tensor == null || !Arrays.equals(tensor.shape(), shape)) {
                throw new IOException(file.path() + ": tensor " + part.name() + " must have the shape "
                        + Arrays.toString(shape) + " that " + source + " asks for, it "
                        + (tensor == null ? "is missing" : "has " + Arrays.toString(tensor.shape())));
            }
        }
    }

    /**
     * Reads the values of all parameters of {@code target}. Every tensor is found and compared before the first one is
     * copied, so that a file that does not fit changes nothing.
     *
     * @param ignored names of tensors that hold nothing that is learned
     * @throws IOException naming the tensor that is missing, of another shape or type, or has no place in the model
     */
    void readInto(ParameterStore target, Predicate<String> ignored) throws IOException {
        requireShapes(target.shapes(), "the model");
        for (StoredPart part : parts) {
            requireType(part, target.dataType());
        }
        requireNothingElse(ignored);
        Map<String, List<StoredPart>> byParameter = parts.stream()
                .collect(Collectors.groupingBy(StoredPart::parameter, LinkedHashMap::new, Collectors.toList()));
        for (Map.Entry<String, List<StoredPart>> parameter : byParameter.entrySet()) {
            read(parameter.getKey(), parameter.getValue(), target);
        }
        target.changed();
    }

    /** One parameter; an int8 one by way of its own floats, which are there no longer than that takes. */
    private void read(String name, List<StoredPart> ownParts, ParameterStore target) throws IOException {
        Int8Matrix rounded = target.int8(name);
        if (rounded == null) {
            for (StoredPart part : ownParts) {
                read(part, target.get(name), target);
            }
            return;
        }
        try (ParameterStore floats = new ParameterStore.Builder()
                .matrix(name, rounded.rows(), rounded.columns())
                .allocate(target.dataType())) {
            for (StoredPart part : ownParts) {
                read(part, floats.get(name), floats);
            }
            target.round(name, floats.get(name).value());
        } catch (IllegalArgumentException e) {
            throw new IOException(
                    file.path() + ": tensor " + ownParts.get(0).name() + " cannot be held as int8: " + e.getMessage(),
                    e);
        }
    }

    private void requireType(StoredPart part, DataType type) throws IOException {
        TensorType stored = file.require(part.name()).type();
        boolean narrows = stored == TensorType.F64 && type == DataType.FLOAT;
        if (!stored.isReadable() || narrows) {
            throw new IOException(file.path() + ": tensor " + part.name() + " has dtype " + stored
                    + ", which does not fit into F32 without loss; convert the file to F32");
        }
    }

    private void requireNothingElse(Predicate<String> ignored) throws IOException {
        Set<String> rest = new LinkedHashSet<>(file.tensors().keySet());
        parts.forEach(part -> rest.remove(part.name()));
        rest.removeIf(ignored);
        if (!rest.isEmpty()) {
            throw new IOException(file.path() + ": holds tensors that have no place in this model: "
                    + rest.stream().limit(20).toList());
        }
    }

    private void read(StoredPart part, Parameter parameter, ParameterStore target) throws IOException {
        long length = file.require(part.name()).length();
        if (part.isCopy()) {
            for (long done = 0; done < length; done += CHUNK) {
                int count = (int) Math.min(CHUNK, length - done);
                try (INDArray values = numbers(part.name(), done, count, target.dataType())) {
                    ParameterStore.view(target.values(), parameter.offset() + done, count)
                            .assign(values);
                }
            }
        } else {
            try (INDArray values = numbers(part.name(), 0, Math.toIntExact(length), target.dataType())) {
                part.fromStored(values, parameter);
            }
        }
    }

    private INDArray numbers(String name, long first, int count, DataType type) throws IOException {
        if (type == DataType.DOUBLE) {
            double[] values = new double[count];
            file.read(name, first, values, 0, count);
            return Nd4j.createFromArray(values);
        }
        float[] values = new float[count];
        file.read(name, first, values, 0, count);
        return Nd4j.createFromArray(values);
    }

    /**
     * The tensors to be written for a model, each made when its turn comes.
     *
     * @param types what each is stored as
     */
    static List<WritableTensor> of(ParameterStore store, List<StoredPart> parts, Types types) {
        List<WritableTensor> tensors = new ArrayList<>();
        for (StoredPart part : parts) {
            Parameter parameter = store.get(part.parameter());
            long[] shape = part.shape(parameter.shape());
            tensors.add(new WritableTensor(
                    part.name(), types.of(part, shape, store.dataType()), shape, new Made(part, store, parameter)));
        }
        return tensors;
    }

    /** Each type with its number of tensors, the most frequent first. */
    static String types(TensorFile file) {
        Map<TensorType, Long> counts = file.tensors().values().stream()
                .collect(Collectors.groupingBy(TensorInfo::type, Collectors.counting()));
        return counts.entrySet().stream()
                .sorted(Map.Entry.<TensorType, Long>comparingByValue().reversed())
                .map(count -> count.getKey() + " (" + count.getValue() + ")")
                .collect(Collectors.joining(", "));
    }

    /** What a tensor is stored as. */
    @FunctionalInterface
    interface Types {

        TensorType of(StoredPart part, long[] shape, DataType store);

        /** All in one type. */
        static Types all(TensorType type) {
            return (part, shape, store) -> type;
        }

        /** As they are, so that no bit is lost. */
        Types EXACT = (part, shape, store) -> store == DataType.DOUBLE ? TensorType.F64 : TensorType.F32;
    }

    /** Rearranged numbers, there from the first read to the last. */
    private static final class Made implements Numbers {

        private final StoredPart part;
        private final ParameterStore store;
        private final Parameter parameter;
        private @Nullable FlatTensor made;

        Made(StoredPart part, ParameterStore store, Parameter parameter) {
            this.part = part;
            this.store = store;
            this.parameter = parameter;
        }

        @Override
        public void read(long first, float[] into, int at, int length) throws IOException {
            make().numbers().read(first, into, at, length);
            letGo(first + length);
        }

        @Override
        public void read(long first, double[] into, int at, int length) throws IOException {
            make().numbers().read(first, into, at, length);
            letGo(first + length);
        }

        private FlatTensor make() {
            FlatTensor known = made;
            if (known == null) {
                known = part.toStored(store, parameter);
                made = known;
            }
            return known;
        }

        private void letGo(long end) {
            if (made != null && end >= made.length()) {
                made = null;
            }
        }
    }
}
