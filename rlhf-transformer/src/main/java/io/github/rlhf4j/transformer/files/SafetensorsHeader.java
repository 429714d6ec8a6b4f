package io.github.rlhf4j.transformer.files;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.rlhf4j.transformer.files.internal.FileBytes;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The JSON header of a safetensors file, every number in it checked before it is believed: known types, shapes whose
 * product fits, offsets that hold exactly the shape and that together cover the data without gap or overlap. It is read
 * token by token, so that what is nested, repeated or unknown in it takes no memory.
 *
 * @param tensors by name, in the order of their data
 * @param metadata the free text under {@code __metadata__}
 */
record SafetensorsHeader(Map<String, TensorInfo> tensors, Map<String, String> metadata) {

    private static final int MOST_DIMENSIONS = 8;
    /** Ten times what the largest public models have; more only fills memory. */
    private static final int MOST_TENSORS = 1_000_000;

    private static final int MOST_METADATA = 100_000;
    private static final List<TensorType> TYPES = Arrays.stream(TensorType.values())
            .filter(type -> !type.isQuantized())
            .toList();
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    /**
     * Reads a header.
     *
     * @param file for messages
     * @param header the bytes of the JSON text
     * @param dataBytes bytes that follow the header in the file
     */
    static SafetensorsHeader parse(Path file, byte[] header, long dataBytes) throws IOException {
        Map<String, String> metadata = new LinkedHashMap<>();
        List<TensorInfo> tensors = new ArrayList<>();
        try (JsonParser json = JSON.createParser(FileBytes.utf8(header))) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new IOException(file + ": the safetensors header must be a JSON object, it is " + describe(json));
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                json.nextToken();
                if (name.equals("__metadata__")) {
                    readMetadata(file, json, metadata);
                } else {
                    tensors.add(new Entry(file, name, json).read(dataBytes));
                    requireFew(file, "tensors", tensors.size(), MOST_TENSORS);
                }
            }
            if (json.nextToken() != null) {
                throw new IOException(
                        file + ": the safetensors header is not JSON: " + describe(json) + " follows after its end");
            }
        } catch (CharacterCodingException e) {
            throw new IOException(file + ": the safetensors header is not UTF-8", e);
        } catch (JsonProcessingException e) {
            throw new IOException(file + ": the safetensors header is not JSON: " + e.getOriginalMessage(), e);
        }
        tensors.sort(Comparator.comparingLong(TensorInfo::begin).thenComparingLong(TensorInfo::end));
        requireCover(file, tensors, dataBytes);
        Map<String, TensorInfo> byName = new LinkedHashMap<>();
        tensors.forEach(tensor -> byName.put(tensor.name(), tensor));
        return new SafetensorsHeader(Collections.unmodifiableMap(byName), Collections.unmodifiableMap(metadata));
    }

    private static void readMetadata(Path file, JsonParser json, Map<String, String> into) throws IOException {
        if (json.currentToken() != JsonToken.START_OBJECT) {
            throw new IOException(file + ": __metadata__ must be a JSON object, it is " + describe(json));
        }
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String name = json.currentName();
            if (json.nextToken() != JsonToken.VALUE_STRING) {
                throw new IOException(file + ": __metadata__." + name + " must be text, it is " + describe(json));
            }
            into.put(name, json.getText());
            requireFew(file, "fields of __metadata__", into.size(), MOST_METADATA);
        }
    }

    private static void requireFew(Path file, String what, int count, int most) throws IOException {
        if (count > most) {
            throw new IOException(file + ": has more than " + most + " " + what + ", which no model has");
        }
    }

    /** The value at hand, for a message. */
    private static String describe(JsonParser json) throws IOException {
        JsonToken token = json.currentToken();
        if (token == null) {
            return "nothing";
        }
        if (!token.isScalarValue()) {
            return token == JsonToken.START_ARRAY || token == JsonToken.END_ARRAY ? "an array" : "an object";
        }
        String text = json.getText();
        return text.length() <= 60 ? text : text.substring(0, 60) + "…";
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

    /** One field of the header, its value at hand in {@code json}. */
    private record Entry(Path file, String name, JsonParser json) {

        TensorInfo read(long dataBytes) throws IOException {
            String typeName = "";
            long @Nullable [] shape = null;
            long @Nullable [] offsets = null;
            if (json.currentToken() != JsonToken.START_OBJECT) {
                throw refused("needs an object with dtype, shape and data_offsets, got " + describe(json));
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String field = json.currentName();
                json.nextToken();
                switch (field) {
                    case "dtype" -> typeName = describe(json);
                    case "shape" -> shape = longs("shape", MOST_DIMENSIONS);
                    case "data_offsets" -> offsets = longs("data_offsets", 2);
                    default -> json.skipChildren();
                }
            }
            TensorType type = type(typeName);
            if (shape == null) {
                throw refused("needs shape as an array of at most " + MOST_DIMENSIONS + " numbers, has none");
            }
            if (offsets == null || offsets.length != 2 || offsets[0] > offsets[1] || offsets[1] > dataBytes) {
                throw refused("needs data_offsets [begin, end] inside the " + dataBytes + " bytes of data, got "
                        + Arrays.toString(offsets));
            }
            if (bytesOf(shape, type) != offsets[1] - offsets[0]) {
                throw refused("of dtype " + type + " and shape " + Arrays.toString(shape) + " does not fill its "
                        + (offsets[1] - offsets[0]) + " bytes");
            }
            return new TensorInfo(name, type, shape, offsets[0], offsets[1]);
        }

        private TensorType type(String typeName) throws IOException {
            for (TensorType type : TYPES) {
                if (type.name().equals(typeName)) {
                    return type;
                }
            }
            throw refused("has the dtype \"" + typeName + "\"; known are " + TYPES);
        }

        private long bytesOf(long[] shape, TensorType type) throws IOException {
            try {
                return type.bytes(shape);
            } catch (IllegalArgumentException e) {
                throw refused("cannot be: " + e.getMessage());
            }
        }

        private long[] longs(String field, int most) throws IOException {
            long[] values = new long[most];
            int count = 0;
            boolean array = json.currentToken() == JsonToken.START_ARRAY;
            while (array && json.nextToken() != JsonToken.END_ARRAY) {
                boolean whole = json.currentToken() == JsonToken.VALUE_NUMBER_INT
                        && json.getNumberType() != JsonParser.NumberType.BIG_INTEGER;
                if (!whole || json.getLongValue() < 0) {
                    throw refused("needs whole numbers from 0 to 2^63 - 1 in " + field + ", got " + describe(json));
                }
                if (count == most) {
                    array = false;
                    break;
                }
                values[count++] = json.getLongValue();
            }
            if (!array) {
                throw refused("needs " + field + " as an array of at most " + most + " numbers, got "
                        + (count == most ? "more" : describe(json)));
            }
            return Arrays.copyOf(values, count);
        }

        private IOException refused(String why) {
            return new IOException(file + ": tensor " + name + " " + why);
        }
    }
}
