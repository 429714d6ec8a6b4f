package io.github.rlhf4j.transformer.files;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.model.TransformerConfig.Activation;
import io.github.rlhf4j.transformer.model.TransformerConfig.Norm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Set;

/** {@code config.json} of a GPT-2, as Hugging Face {@code transformers} writes and reads it. */
final class Gpt2ConfigFile {

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    /** Both name the tanh form of GELU. */
    private static final Set<String> TANH_GELU = Set.of("gelu_new", "gelu_pytorch_tanh");

    private Gpt2ConfigFile() {}

    /** The fields of a model of this shape; a model with a score head is a sequence classifier with one label. */
    static ObjectNode describe(TransformerConfig config, SpecialTokenIds ids, boolean scoreHead) {
        requireGpt2(config);
        ObjectNode json = JSON.createObjectNode();
        json.putArray("architectures").add(scoreHead ? "GPT2ForSequenceClassification" : "GPT2LMHeadModel");
        json.put("model_type", "gpt2");
        json.put("activation_function", "gelu_new");
        json.put("vocab_size", config.vocabularySize());
        json.put("n_positions", config.contextLength());
        json.put("n_ctx", config.contextLength());
        json.put("n_embd", config.width());
        json.put("n_layer", config.layers());
        json.put("n_head", config.heads());
        json.put("n_inner", config.feedForwardWidth());
        json.put("layer_norm_epsilon", config.normEpsilon());
        json.put("embd_pdrop", config.dropout());
        json.put("resid_pdrop", config.dropout());
        json.put("attn_pdrop", 0.0);
        json.put("scale_attn_weights", true);
        json.put("tie_word_embeddings", config.tiedEmbeddings());
        json.put("torch_dtype", "float32");
        json.put("use_cache", true);
        ids.describe(json);
        if (scoreHead) {
            json.put("num_labels", 1);
            json.putObject("id2label").put("0", "SCORE");
            json.putObject("label2id").put("SCORE", 0);
        }
        return json;
    }

    private static void requireGpt2(TransformerConfig config) {
        if (config.norm() != Norm.LAYER || config.rotary() != null || config.activation() != Activation.GELU_TANH) {
            throw new IllegalArgumentException(
                    "only the GPT-2 family (LAYER, learned positions, GELU_TANH) has a Hugging Face layout here, got "
                            + config);
        }
    }

    /** A parsed {@code config.json}. */
    record Contents(TransformerConfig config, boolean scoreHead) {}

    /**
     * Reads the shape of a GPT-2. The dropout is {@code resid_pdrop} (0 when absent); {@code attn_pdrop} has no place in
     * our transformer and is left out.
     *
     * @throws IOException naming the field that is missing, of the wrong kind, or asks for what GPT-2 here cannot do
     */
    static Contents read(Path file) throws IOException {
        Fields fields = new Fields(file, parse(file));
        fields.requireText("model_type", Set.of("gpt2"), "");
        fields.requireText("activation_function", TANH_GELU, "gelu_new");
        fields.requireFlag("scale_attn_weights", true, true);
        fields.requireFlag("scale_attn_by_inverse_layer_idx", false, false);
        fields.requireTiedEmbeddings();
        int width = fields.size("n_embd");
        try {
            TransformerConfig config = TransformerConfig.gpt2(
                            fields.size("vocab_size"),
                            fields.size("n_positions"),
                            width,
                            fields.size("n_layer"),
                            fields.size("n_head"))
                    .toBuilder()
                    .feedForwardWidth(fields.has("n_inner") ? fields.size("n_inner") : Math.multiplyExact(4, width))
                    .normEpsilon(fields.number("layer_norm_epsilon", 1e-5))
                    .dropout(fields.number("resid_pdrop", 0.0))
                    .build();
            return new Contents(config, fields.namesClassifier());
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new IOException(file + ": " + e.getMessage(), e);
        }
    }

    private static JsonNode parse(Path file) throws IOException {
        try {
            JsonNode root = JSON.readTree(Files.readAllBytes(file));
            if (!root.isObject()) {
                throw new IOException(file + ": must be a JSON object, it is " + root.getNodeType());
            }
            return root;
        } catch (NoSuchFileException e) {
            throw new IOException(
                    file + " is missing: a model directory holds config.json, model.safetensors and tokenizer.json", e);
        } catch (JsonProcessingException e) {
            throw new IOException(file + ": is not JSON: " + e.getOriginalMessage(), e);
        }
    }

    private record Fields(Path file, JsonNode root) {

        boolean has(String field) {
            return root.hasNonNull(field);
        }

        int size(String field) throws IOException {
            JsonNode node = root.path(field);
            if (!node.isIntegralNumber() || !node.canConvertToInt() || node.intValue() < 1) {
                throw refused(field, "a whole number from 1 to " + Integer.MAX_VALUE, node);
            }
            return node.intValue();
        }

        double number(String field, double absent) throws IOException {
            JsonNode node = root.path(field);
            if (has(field) && !node.isNumber()) {
                throw refused(field, "a number", node);
            }
            return has(field) ? node.doubleValue() : absent;
        }

        boolean flag(String field, boolean absent) throws IOException {
            JsonNode node = root.path(field);
            if (has(field) && !node.isBoolean()) {
                throw refused(field, "true or false", node);
            }
            return has(field) ? node.booleanValue() : absent;
        }

        void requireFlag(String field, boolean needed, boolean absent) throws IOException {
            if (flag(field, absent) != needed) {
                throw refused(field, needed + ", the only attention there is here", root.path(field));
            }
        }

        /** A model whose lm_head was learned apart from wte would answer wrongly when run with wte alone. */
        void requireTiedEmbeddings() throws IOException {
            if (!flag("tie_word_embeddings", true)) {
                throw refused(
                        "tie_word_embeddings",
                        "true (the token head here is the transposed token embedding; use a model with tied embeddings"
                                + " such as gpt2 itself, or tie and fine-tune this one in Python first)",
                        root.path("tie_word_embeddings"));
            }
        }

        void requireText(String field, Set<String> known, String absent) throws IOException {
            String value = has(field) ? root.path(field).asText() : absent;
            if (!known.contains(value)) {
                throw refused(field, "one of " + known, root.path(field));
            }
        }

        boolean namesClassifier() {
            for (JsonNode architecture : root.path("architectures")) {
                if (architecture.asText().endsWith("ForSequenceClassification")) {
                    return true;
                }
            }
            return false;
        }

        private IOException refused(String field, String rule, JsonNode found) {
            return new IOException(file + ": " + field + " must be " + rule + ", got "
                    + (found.isMissingNode() ? "nothing" : found.toString()));
        }
    }
}
