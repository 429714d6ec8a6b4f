package io.github.rlhf4j.transformer.files;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Flat buffers and counters of a training state in one safetensors file: the parameters' {@code values}, the optimiser's
 * {@code optimizer.m} and {@code optimizer.v}, its {@code optimizer.step}. They come back to the same bits.
 */
public final class FlatState {

    private static final String COUNTER = "counter.";

    private FlatState() {}

    /**
     * Writes buffers and counters; atomicity is the caller's.
     *
     * @param buffers rank-1 FLOAT or DOUBLE arrays by name
     * @param counters whole numbers by name, such as the optimiser's step
     */
    public static void write(Path file, Map<String, INDArray> buffers, Map<String, Long> counters) throws IOException {
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put("format", "rlhf4j-state");
        counters.forEach((name, value) -> metadata.put(COUNTER + name, Long.toString(value)));
        Safetensors.write(file, metadata, tensors(buffers));
    }

    /**
     * Fills buffers of the same names, lengths and types with what {@link #write} wrote, and returns the counters.
     *
     * <p>All names, lengths and types are compared before the first number is copied, so that a file that does not fit
     * changes nothing.
     *
     * @throws IOException naming the buffer or counter that is missing, or differs in length or type
     */
    public static Map<String, Long> read(Path file, Map<String, INDArray> buffers) throws IOException {
        try (SafetensorsFile state = Safetensors.open(file)) {
            List<FlatTensor> targets = tensors(buffers);
            for (FlatTensor target : targets) {
                requireSameType(file, state.require(target.name(), target), target);
            }
            if (state.tensors().size() != targets.size()) {
                throw new IOException(file + ": holds the buffers "
                        + state.tensors().keySet() + ", expected were " + buffers.keySet());
            }
            Map<String, Long> counters = counters(file, state.metadata());
            for (FlatTensor target : targets) {
                state.read(target);
            }
            return counters;
        }
    }

    private static void requireSameType(Path file, TensorInfo stored, FlatTensor target) throws IOException {
        if (stored.type() != target.type()) {
            throw new IOException(file + ": buffer " + stored.name() + " was saved as " + stored.type()
                    + " and cannot continue as " + target.type());
        }
    }

    private static Map<String, Long> counters(Path file, Map<String, String> metadata) throws IOException {
        Map<String, Long> counters = new LinkedHashMap<>();
        for (Map.Entry<String, String> entry : metadata.entrySet()) {
            if (entry.getKey().startsWith(COUNTER)) {
                try {
                    counters.put(entry.getKey().substring(COUNTER.length()), Long.valueOf(entry.getValue()));
                } catch (NumberFormatException e) {
                    throw new IOException(
                            file + ": " + entry.getKey() + " must be a whole number, got " + entry.getValue(), e);
                }
            }
        }
        return counters;
    }

    private static List<FlatTensor> tensors(Map<String, INDArray> buffers) {
        List<FlatTensor> tensors = new ArrayList<>();
        buffers.forEach((name, buffer) -> tensors.add(FlatTensor.of(name, buffer)));
        return tensors;
    }
}
