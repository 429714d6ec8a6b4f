package io.github.rlhf4j.transformer.files;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.rlhf4j.transformer.model.Rotary;
import java.io.IOException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Rotary positions in {@code config.json}: {@code rope_theta} and {@code rope_scaling}, or both in {@code rope_parameters}. */
final class RotaryFields {

    private RotaryFields() {}

    /**
     * D: the {@code head_dim}, or what {@code hidden_size} leaves for a head.
     *
     * @throws IOException naming the field, when that is odd or too large
     */
    static int headSize(JsonFields fields, int width, int heads) throws IOException {
        String field = fields.has("head_dim") ? "head_dim" : "hidden_size";
        if (!fields.has("head_dim") && width % heads != 0) {
            throw fields.refused(
                    field,
                    "a multiple of num_attention_heads (" + heads + ")",
                    fields.root().path(field));
        }
        if (width % 2 != 0) {
            throw fields.refused(
                    "hidden_size",
                    "an even number, as rotary positions turn pairs of channels",
                    fields.root().path("hidden_size"));
        }
        int size = fields.size("head_dim", Math.max(1, width / heads));
        if (size % 2 != 0) {
            String rule = "an even number" + (field.equals("head_dim") ? "" : " times num_attention_heads");
            throw fields.refused(
                    field,
                    rule + ", as rotary positions turn pairs of channels",
                    fields.root().path(field));
        }
        if (3L * heads * size > Integer.MAX_VALUE) {
            throw fields.refused(
                    "num_attention_heads",
                    "at most " + Integer.MAX_VALUE / 3 / size + " with a head_dim of " + size,
                    fields.root().path("num_attention_heads"));
        }
        return size;
    }

    private static double base(JsonFields fields, double absent) throws IOException {
        return fields.number("rope_theta", absent, base -> base > 1 && Double.isFinite(base), "a number above 1");
    }

    static Rotary read(JsonFields fields, double defaultBase) throws IOException {
        if (fields.has("rope_parameters")) {
            JsonFields both = fields.object("rope_parameters");
            return new Rotary(base(both, defaultBase), scaling(both));
        }
        double base = base(fields, defaultBase);
        return new Rotary(base, fields.has("rope_scaling") ? scaling(fields.object("rope_scaling")) : null);
    }

    private static Rotary.@Nullable Scaling scaling(JsonFields fields) throws IOException {
        String field = fields.has("rope_type") ? "rope_type" : "type";
        return switch (fields.text(field, "default", Set.of("default", "linear", "llama3"))) {
            case "linear" -> new Rotary.Linear(factor(fields, 1));
            case "llama3" -> {
                double low = fields.number("low_freq_factor", 1, x -> x > 0 && Double.isFinite(x), "a number above 0");
                double high = fields.number(
                        "high_freq_factor",
                        4,
                        x -> x > low && Double.isFinite(x),
                        "a number above low_freq_factor (" + low + ")");
                yield new Rotary.Llama3(
                        factor(fields, 8), low, high, fields.size("original_max_position_embeddings", 8192));
            }
            default -> null;
        };
    }

    private static double factor(JsonFields fields, double absent) throws IOException {
        return fields.number("factor", absent, x -> x >= 1 && Double.isFinite(x), "a number of at least 1");
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
