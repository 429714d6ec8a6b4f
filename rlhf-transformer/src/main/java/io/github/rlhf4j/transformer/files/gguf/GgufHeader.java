package io.github.rlhf4j.transformer.files.gguf;

import io.github.rlhf4j.transformer.files.TensorInfo;
import io.github.rlhf4j.transformer.files.TensorType;
import io.github.rlhf4j.transformer.files.internal.FileBytes;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The head of a GGUF file: magic, version, counts, metadata, tensors. Every number in it is checked before it is believed.
 *
 * @param version 2 or 3, which differ only in that 3 may be big-endian
 * @param values metadata by key
 * @param tensors by name, in the order of the file
 * @param dataStart byte of the file from which the tensors' places count
 */
record GgufHeader(int version, Map<String, GgufValue> values, Map<String, TensorInfo> tensors, long dataStart) {

    static final int MAGIC = 0x46554747;
    static final String ALIGNMENT = "general.alignment";
    static final int DEFAULT_ALIGNMENT = 32;
    static final int MOST_DIMENSIONS = 4;

    /** The longest key of the specification; tensor names are held to it too. */
    static final int LONGEST_NAME = 65_535;

    private static final int DEEPEST_ARRAY = 8;
    private static final int MOST_TENSORS = 1 << 17;

    /** Values of all arrays together: three times what the largest vocabularies need. */
    private static final int MOST_VALUES = 1 << 22;

    static GgufHeader parse(FileBytes file) throws IOException {
        return new Parser(file).parse();
    }

    private static final class Parser {

        private final FileBytes file;
        private final GgufInput in;
        private final Map<String, GgufValue> values = new LinkedHashMap<>();
        private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
        private long valueCount;

        Parser(FileBytes file) {
            this.file = file;
            this.in = new GgufInput(file);
        }

        GgufHeader parse() throws IOException {
            int magic = in.int32("the magic");
            if (magic != MAGIC) {
                throw in.refused("a GGUF file starts with \"GGUF\", this one with the bytes "
                        + String.format("%08x", Integer.reverseBytes(magic)) + "; it is no GGUF file");
            }
            int version = version();
            long tensorCount = in.int64("the number of tensors");
            long keyCount = in.int64("the number of metadata keys");
            in.require(keyCount, 8 + 4 + 1, "metadata keys");
            for (long i = 0; i < keyCount; i++) {
                readKey();
            }
            // name, number of dimensions, type, place
            in.require(tensorCount, 8 + 4 + 4 + 8, "tensors");
            if (tensorCount > MOST_TENSORS) {
                throw in.refused("has " + tensorCount + " tensors, more than " + MOST_TENSORS + ", which no model has");
            }
            long alignment = alignment();
            for (long i = 0; i < tensorCount; i++) {
                readTensor(alignment);
            }
            long dataStart = (in.position() + alignment - 1) / alignment * alignment;
            requireInside(dataStart);
            return new GgufHeader(version, values, Collections.unmodifiableMap(tensors), dataStart);
        }

        private int version() throws IOException {
            int version = in.int32("the version");
            int swapped = Integer.reverseBytes(version);
            if (swapped == 2 || swapped == 3) {
                throw in.refused("is big-endian, only little-endian GGUF is read; convert it with llama.cpp's"
                        + " gguf_convert_endian.py");
            }
            if (version != 2 && version != 3) {
                throw in.refused("has GGUF version " + Integer.toUnsignedString(version)
                        + ", read are 2 and 3; convert the model again, with a current llama.cpp");
            }
            return version;
        }

        private void readKey() throws IOException {
            String key = in.string("a metadata key", LONGEST_NAME);
            if (values.containsKey(key)) {
                throw in.refused("metadata " + key + " stands there twice");
            }
            values.put(key, value(key, type(key), 0));
        }

        private GgufType type(String key) throws IOException {
            int code = in.int32("the type of metadata " + key);
            GgufType[] types = GgufType.values();
            if (code < 0 || code >= types.length) {
                throw in.refused("metadata " + key + " has the type " + Integer.toUnsignedString(code)
                        + ", known are 0 to " + (types.length - 1));
            }
            return types[code];
        }

        private GgufValue value(String key, GgufType type, int depth) throws IOException {
            String what = "metadata " + key;
            return switch (type) {
                case UINT8 -> new GgufValue.Whole(type, in.take(1, what).get() & 0xff);
                case INT8 -> new GgufValue.Whole(type, in.take(1, what).get());
                case UINT16 -> new GgufValue.Whole(type, in.take(2, what).getShort() & 0xffff);
                case INT16 -> new GgufValue.Whole(type, in.take(2, what).getShort());
                case UINT32 -> new GgufValue.Whole(type, in.int32(what) & 0xffffffffL);
                case INT32 -> new GgufValue.Whole(type, in.int32(what));
                case UINT64, INT64 -> new GgufValue.Whole(type, in.int64(what));
                case FLOAT32 -> new GgufValue.Real(type, in.take(4, what).getFloat());
                case FLOAT64 -> new GgufValue.Real(type, in.take(8, what).getDouble());
                case BOOL -> flag(what);
                case STRING -> new GgufValue.Text(in.string(what, in.remaining()));
                case ARRAY -> array(key, depth);
            };
        }

        private GgufValue flag(String what) throws IOException {
            byte value = in.take(1, what).get();
            if (value != 0 && value != 1) {
                throw in.refused(what + " must be 0 or 1, it is " + (value & 0xff));
            }
            return new GgufValue.Flag(value == 1);
        }

        private GgufValue array(String key, int depth) throws IOException {
            if (depth == DEEPEST_ARRAY) {
                throw in.refused("metadata " + key + " nests arrays more than " + DEEPEST_ARRAY + " deep");
            }
            GgufType elementType = type(key);
            long count = in.int64("the length of metadata " + key);
            in.require(count, elementType.leastBytes(), "metadata " + key);
            valueCount += count;
            if (valueCount > MOST_VALUES) {
                throw in.refused("metadata " + key + " brings the values of all arrays to " + valueCount
                        + ", more than " + MOST_VALUES + ", which no model has");
            }
            List<GgufValue> elements = new ArrayList<>();
            for (long i = 0; i < count; i++) {
                elements.add(value(key, elementType, depth + 1));
            }
            return new GgufValue.Values(elementType, Collections.unmodifiableList(elements));
        }

        private long alignment() throws IOException {
            GgufValue value = values.get(ALIGNMENT);
            if (value == null) {
                return DEFAULT_ALIGNMENT;
            }
            boolean valid = value instanceof GgufValue.Whole whole
                    && whole.type() == GgufType.UINT32
                    && Long.bitCount(whole.value()) == 1;
            if (!valid) {
                throw in.refused("metadata " + ALIGNMENT + " must be a UINT32 that is a power of two, it is " + value);
            }
            return ((GgufValue.Whole) value).value();
        }

        private void readTensor(long alignment) throws IOException {
            String name = in.string("the name of tensor " + tensors.size(), LONGEST_NAME);
            String what = "tensor " + name;
            if (tensors.containsKey(name)) {
                throw in.refused(what + " stands there twice");
            }
            long[] shape = shape(what);
            TensorType type = tensorType(what);
            long begin = in.int64("the place of " + what);
            if (begin < 0 || begin % alignment != 0) {
                throw in.refused(what + " begins at byte " + Long.toUnsignedString(begin)
                        + " of the data, which must be a multiple of " + ALIGNMENT + " " + alignment);
            }
            try {
                long end = Math.addExact(begin, type.bytes(shape));
                tensors.put(name, new TensorInfo(name, type, shape, begin, end));
            } catch (IllegalArgumentException | ArithmeticException e) {
                throw in.refused(
                        what + " of type " + type + " at byte " + begin + " of the data cannot be: " + e.getMessage());
            }
        }

        /** The file has the fastest dimension first; ours is row-major, as PyTorch prints it. */
        private long[] shape(String what) throws IOException {
            int dimensions = in.int32("the number of dimensions of " + what);
            if (dimensions < 0 || dimensions > MOST_DIMENSIONS) {
                throw in.refused(what + " may have " + MOST_DIMENSIONS + " dimensions at most, it has "
                        + Integer.toUnsignedString(dimensions));
            }
            long[] shape = new long[dimensions];
            for (int i = dimensions - 1; i >= 0; i--) {
                shape[i] = in.int64("the shape of " + what);
                if (shape[i] < 1) {
                    throw in.refused(what + " has a dimension of " + Long.toUnsignedString(shape[i])
                            + "; it must be from 1 to 2^63 - 1");
                }
            }
            return shape;
        }

        private TensorType tensorType(String what) throws IOException {
            int code = in.int32("the type of " + what);
            return GgufTensorTypes.of(code)
                    .orElseThrow(
                            () -> in.refused(
                                    what + " has ggml's type " + Integer.toUnsignedString(code)
                                            + ", which is not read here; quantise the model as Q8_0, Q6_K or Q4_K_M, or convert it to F16"));
        }

        private void requireInside(long dataStart) throws IOException {
            long reached = 0;
            String previous = "the head";
            List<TensorInfo> sorted = new ArrayList<>(tensors.values());
            sorted.sort(Comparator.comparingLong(TensorInfo::begin));
            for (TensorInfo tensor : sorted) {
                if (tensor.begin() < reached) {
                    throw in.refused("tensor " + tensor.name() + " begins at byte " + tensor.begin()
                            + " of the data where " + previous + " ends at " + reached + ": they overlap");
                }
                if (tensor.end() > file.size() - dataStart) {
                    throw in.refused("tensor " + tensor.name() + Arrays.toString(tensor.shape()) + " ends at byte "
                            + tensor.end() + " of the data, the file holds " + Math.max(0, file.size() - dataStart)
                            + "; it is truncated or damaged");
                }
                reached = tensor.end();
                previous = "tensor " + tensor.name();
            }
        }
    }
}
