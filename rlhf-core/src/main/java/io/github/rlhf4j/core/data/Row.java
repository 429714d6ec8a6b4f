package io.github.rlhf4j.core.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.rlhf4j.core.internal.Json;
import java.util.ArrayList;
import java.util.List;

/** One row of a JSON dataset, and where it stands, for messages. */
final class Row {

    private final String place;
    private final JsonNode value;

    /**
     * @param place such as {@code "pairs.jsonl, line 3"}
     */
    Row(String place, JsonNode value) {
        this.place = place;
        this.value = value;
    }

    JsonNode value() {
        return value;
    }

    JsonNode get(String field) {
        return value.path(field);
    }

    /** Whether all these fields are there and not null. */
    boolean has(String... fields) {
        for (String field : fields) {
            if (!value.hasNonNull(field)) {
                return false;
            }
        }
        return true;
    }

    /** The text of a field that must be there. */
    String text(String field) throws DatasetException {
        return text(field, get(field));
    }

    /** The text a value must be; {@code field} is its path in the row. */
    String text(String field, JsonNode node) throws DatasetException {
        if (!node.isTextual()) {
            String found = node.isMissingNode() ? "is missing" : "must be a text, but is " + Json.kind(node);
            throw error(field, found + "; fill it in, or remove the row");
        }
        return node.textValue();
    }

    /** The row must be a JSON object. */
    void requireObject() throws DatasetException {
        if (!(value instanceof ObjectNode)) {
            throw new DatasetException(place + ": a row must be a JSON object, but is " + Json.kind(value));
        }
    }

    DatasetException error(String field, String problemAndRemedy) {
        return new DatasetException(place + ", field \"" + field + "\" " + problemAndRemedy);
    }

    DatasetException error(String problemAndRemedy, Throwable cause) {
        return new DatasetException(place + ": " + problemAndRemedy, cause);
    }

    /** None of the accepted shapes fits. */
    DatasetException noShape(String what, List<String> accepted) {
        List<String> fields = new ArrayList<>();
        value.fieldNames().forEachRemaining(fields::add);
        return new DatasetException(place + ": a row with the fields " + fields + " is no " + what + "; accepted are "
                + String.join("; ", accepted) + ". Rename the fields, or convert the file.");
    }
}
