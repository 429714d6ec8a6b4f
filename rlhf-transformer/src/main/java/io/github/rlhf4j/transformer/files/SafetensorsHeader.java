package io.github.rlhf4j.transformer.files;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The JSON header of a safetensors file, every number in it checked before it is believed: known types, shapes whose
 * product fits, offsets that hold exactly the shape and that together cover the data without gap or overlap.
 *
 * @param tensors by name, in the order of their data
 * @param metadata the free text under {@code __metadata__}
 */
record SafetensorsHeader(Map<String, TensorInfo> tensors, Map<String, String> metadata) {

    private static final int MOST_DIMENSIONS = 8;
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    /**
     * Reads a header.
     *
     * @param file for messages
     * @param header the bytes of the JSON text
     * @param dataBytes bytes that follow the header in the file
     */
    static SafetensorsHeader parse(Path file, byte[] header, long dataBytes) throws IOException {
        JsonNode root;
        try {
            root = JSON.readTree(header);
        } catch (JsonProcessingException e) {
            throw new IOException(file + ": the safetensors header is not JSON: " + e.getOriginalMessage(), e);
        }
        if (!root.isObject()) {
            throw new IOException(file + ": the safetensors header must be a JSON object, it is " + root.getNodeType());
        }
        Map<String, String> metadata = new LinkedHashMap<>();
        List<TensorInfo> tensors = new ArrayList<>();
        for (Map.Entry<String, JsonNode> field : root.properties()) {
            if (field.getKey().equals("__metadata__")) {
                readMetadata(file, field.getValue(), metadata);
            } else {
                tensors.add(new Entry(file, field.getKey(), field.getValue()).read(dataBytes));
            }
        }
        tensors.sort(Comparator.comparingLong(TensorInfo::begin).thenComparingLong(TensorInfo::end));
        requireCover(file, tensors, dataBytes);
        Map<String, TensorInfo> byName = new LinkedHashMap<>();
        tensors.forEach(tensor -> byName.put(tensor.name(), tensor));
        return new SafetensorsHeader(Collections.unmodifiableMap(byName), Collections.unmodifiableMap(metadata));
    }

    private static void readMetadata(Path file, JsonNode node, Map<String, String> into) throws IOException {
        for (Map.Entry<String, JsonNode> field : node.properties()) {
            if (!field.getValue().isTextual()) {
                throw new IOException(file + ": __metadata__." + field.getKey() + " must be text, it is "
                        + field.getValue().getNodeType());
            }
            into.put(field.getKey(), field.getValue().textValue());
        }
        if (!node.isObject()) {
            throw new IOException(file + ": __metadata__ must be a JSON object, it is " + node.getNodeType());
        }
    }

    private static void requireCover(Path file, List<TensorInfo> sorted, long dataBytes) throws IOException {
        long reached = 0;
        String previous = "the header";
        for (TensorInfo tensor : sorted) {
            if (tensor.begin() != reached) {
                throw new IOException(file + ": tensor " + tensor.name() + " begins at byte " + tensor.begin()
                        + " of the data where " + previous + " ends at " + reached
                        + (tensor.begin() < reached ? ": they overlap" : ": there is a gap"));
            }
            reached = tensor.end();
            previous = "tensor " + tensor.name();
        }
        if (reached != dataBytes) {
            throw new IOException(file + ": the tensors need " + reached + " bytes of data, the file holds " + dataBytes
                    + "; it is truncated or damaged");
        }
    }

    /** One field of the header. */
    private record Entry(Path file, String name, JsonNode node) {

        TensorInfo read(long dataBytes) throws IOException {
            String typeName = node.path("dtype").asText("");
            TensorType type = TensorType.named(typeName)
                    .orElseThrow(() ->
                            refused("has the dtype \"" + typeName + "\"; known are " + List.of(TensorType.values())));
            long[] shape = longs("shape", MOST_DIMENSIONS);
            long[] offsets = longs("data_offsets", 2);
            if (offsets.length != 2 || offsets[0] > offsets[1] || offsets[1] > dataBytes) {
                throw refused("needs data_offsets [begin, end] inside the " + dataBytes + " bytes of data, got "
                        + node.path("data_offsets"));
            }
            if (bytesOf(shape, type) != offsets[1] - offsets[0]) {
                throw refused("of dtype " + type + " and shape " + node.path("shape") + " does not fill its "
                        + (offsets[1] - offsets[0]) + " bytes");
            }
            return new TensorInfo(name, type, shape, offsets[0], offsets[1]);
        }

        private long bytesOf(long[] shape, TensorType type) throws IOException {
            long bytes = type.bytes();
            try {
                for (long dimension : shape) {
                    bytes = Math.multiplyExact(bytes, dimension);
                }
            } catch (ArithmeticException e) {
                throw refused("has a shape too large for any file: " + node.path("shape"));
            }
            return bytes;
        }

        private long[] longs(String field, int most) throws IOException {
            JsonNode array = node.path(field);
            if (!array.isArray() || array.size() > most) {
                throw refused("needs " + field + " as an array of at most " + most + " numbers, got " + array);
            }
            long[] values = new long[array.size()];
            for (int i = 0; i < values.length; i++) {
                JsonNode element = array.get(i);
                if (!element.isIntegralNumber() || !element.canConvertToLong() || element.longValue() < 0) {
                    throw refused("needs whole numbers ≥ 0 in " + field + ", got " + element);
                }
                values[i] = element.longValue();
            }
            return values;
        }

        private IOException refused(String why) {
            return new IOException(file + ": tensor " + name + " " + why);
        }
    }
}
