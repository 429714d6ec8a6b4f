package io.github.rlhf4j.transformer.files;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.rlhf4j.transformer.model.Rotary;
import java.io.IOException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Rotary positions in {@code config.json}: {@code rope_theta} and {@code rope_scaling}, or both in {@code rope_parameters}. */
final class RotaryFields {

    private RotaryFields() {}

    static Rotary read(JsonFields fields, double defaultBase) throws IOException {
        if (fields.has("rope_parameters")) {
            JsonFields both = fields.object("rope_parameters");
            return new Rotary(both.number("rope_theta", defaultBase), scaling(both));
        }
        double base = fields.number("rope_theta", defaultBase);
        return new Rotary(base, fields.has("rope_scaling") ? scaling(fields.object("rope_scaling")) : null);
    }

    private static Rotary.@Nullable Scaling scaling(JsonFields fields) throws IOException {
        String field = fields.has("rope_type") ? "rope_type" : "type";
        return switch (fields.text(field, "default", Set.of("default", "linear", "llama3"))) {
            case "linear" -> new Rotary.Linear(fields.number("factor", 1));
            case "llama3" ->
                new Rotary.Llama3(
                        fields.number("factor", 8),
                        fields.number("low_freq_factor", 1),
                        fields.number("high_freq_factor", 4),
                        fields.size("original_max_position_embeddings", 8192));
            default -> null;
        };
    }

    /** Whether there are fields for these positions. */
    static boolean describes(@Nullable Rotary rotary) {
        return rotary != null && !(rotary.scaling() instanceof Rotary.Divided);
    }

    static void describe(Rotary rotary, ObjectNode json) {
        json.put("rope_theta", rotary.base());
        Rotary.Scaling scaling = rotary.scaling();
        if (scaling instanceof Rotary.Linear linear) {
            json.putObject("rope_scaling").put("rope_type", "linear").put("factor", linear.factor());
        } else if (scaling instanceof Rotary.Llama3 llama3) {
            json.putObject("rope_scaling")
                    .put("rope_type", "llama3")
                    .put("factor", llama3.factor())
                    .put("low_freq_factor", llama3.lowFrequencyFactor())
                    .put("high_freq_factor", llama3.highFrequencyFactor())
                    .put("original_max_position_embeddings", llama3.originalContext());
        }
    }
}
