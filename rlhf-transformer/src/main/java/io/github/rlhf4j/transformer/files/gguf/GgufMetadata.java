package io.github.rlhf4j.transformer.files.gguf;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The metadata of a GGUF file, read by key and kind. A method that asks for what is not there says so with file and key;
 * where a key may be absent, ask {@link #has} first.
 */
public final class GgufMetadata {

    private final String source;
    private final Map<String, GgufValue> values;

    GgufMetadata(Path file, Map<String, GgufValue> values) {
        this.source = file.toString();
        this.values = Collections.unmodifiableMap(values);
    }

    /** All values by key, in the order of the file. */
    public Map<String, GgufValue> values() {
        return values;
    }

    public boolean has(String key) {
        return values.containsKey(key);
    }

    /** Text, such as {@code general.architecture}. */
    public String text(String key) throws IOException {
        return require(key, GgufValue.Text.class, "text").value();
    }

    public boolean flag(String key) throws IOException {
        return require(key, GgufValue.Flag.class, "true or false").value();
    }

    /** A whole number of any integer type; UINT64 must be below 2^63. */
    public long whole(String key) throws IOException {
        return whole(key, require(key, GgufValue.Whole.class, "a whole number"));
    }

    /** A floating-point number of either type. */
    public double real(String key) throws IOException {
        return require(key, GgufValue.Real.class, "a floating-point number").value();
    }

    /** An array of text, such as {@code tokenizer.ggml.tokens}. */
    public List<String> texts(String key) throws IOException {
        requireElements(key, GgufType.STRING);
        return array(key).values().stream()
                .map(value -> ((GgufValue.Text) value).value())
                .toList();
    }

    /** An array of whole numbers, such as {@code tokenizer.ggml.token_type}. */
    public long[] wholes(String key) throws IOException {
        List<GgufValue> elements = array(key).values();
        long[] wholes = new long[elements.size()];
        for (int i = 0; i < wholes.length; i++) {
            if (!(elements.get(i) instanceof GgufValue.Whole element)) {
                throw refused(
                        key,
                        "an array of whole numbers",
                        "an array of " + array(key).elementType());
            }
            wholes[i] = whole(key, element);
        }
        return wholes;
    }

    /** An array of floating-point numbers, such as {@code tokenizer.ggml.scores}. */
    public double[] reals(String key) throws IOException {
        List<GgufValue> elements = array(key).values();
        double[] reals = new double[elements.size()];
        for (int i = 0; i < reals.length; i++) {
            if (!(elements.get(i) instanceof GgufValue.Real element)) {
                throw refused(
                        key,
                        "an array of floating-point numbers",
                        "an array of " + array(key).elementType());
            }
            reals[i] = element.value();
        }
        return reals;
    }

    private GgufValue.Values array(String key) throws IOException {
        return require(key, GgufValue.Values.class, "an array");
    }

    private void requireElements(String key, GgufType type) throws IOException {
        if (array(key).elementType() != type) {
            throw refused(
                    key, "an array of " + type, "an array of " + array(key).elementType());
        }
    }

    private long whole(String key, GgufValue.Whole found) throws IOException {
        if (found.type() == GgufType.UINT64 && found.value() < 0) {
            throw refused(key, "below 2^63", Long.toUnsignedString(found.value()));
        }
        return found.value();
    }

    private <T extends GgufValue> T require(String key, Class<T> kind, String rule) throws IOException {
        GgufValue value = values.get(key);
        if (value == null) {
            throw new IOException(source + ": metadata " + key + " is missing; it must be " + rule
                    + ". Convert the model again, with a current llama.cpp");
        }
        if (!kind.isInstance(value)) {
            throw refused(key, rule, value.type().toString());
        }
        return kind.cast(value);
    }

    private IOException refused(String key, String rule, String found) {
        return new IOException(source + ": metadata " + key + " must be " + rule + ", it is " + found);
    }

    /** A copy that may be added to and written. */
    public Map<String, GgufValue> copy() {
        return new LinkedHashMap<>(values);
    }
}
