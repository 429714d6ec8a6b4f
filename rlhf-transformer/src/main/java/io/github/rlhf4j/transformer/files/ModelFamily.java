package io.github.rlhf4j.transformer.files;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import java.io.IOException;
import java.util.List;

/** A family of models in Hugging Face's layout: its fields in {@code config.json}, its tensors' names and forms. */
interface ModelFamily {

    /** In the order in which a shape is looked up: the first that describes it writes it. */
    List<ModelFamily> ALL = List.of(
            new Gpt2Family(),
            LlamaFamily.LLAMA,
            LlamaFamily.QWEN2,
            LlamaFamily.GEMMA,
            LlamaFamily.MISTRAL,
            new CohereFamily());

    /** {@code model_type}. */
    String modelType();

    /** What classes of {@code transformers} are called, {@code "Llama"}. */
    String className();

    /** The class that {@code transformers} loads a language model, or a scalar model, into. */
    default String architecture(boolean scalar) {
        String language = modelType().equals("gpt2") ? "LMHeadModel" : "ForCausalLM";
        return className() + (scalar ? "ForSequenceClassification" : language);
    }

    /** Whether this family can hold a model of this shape. */
    boolean describes(TransformerConfig config);

    /** Adds the fields of the shape. */
    void describe(TransformerConfig config, ObjectNode json);

    /**
     * Reads the shape.
     *
     * @throws IOException naming the field that is missing, of the wrong kind, or asks for what this transformer cannot do
     * @throws IllegalArgumentException when the fields contradict each other
     */
    TransformerConfig read(JsonFields fields) throws IOException;

    /**
     * The tensors of a model, each parameter of the trunk and of a token head in one or several.
     *
     * @param scalar whether this is a scalar model, without a token head
     */
    List<StoredPart> layout(TransformerConfig config, boolean scalar);

    /** What tensors of the trunk are named with, and some old files lack. */
    String prefix();

    /** The family that writes this shape. */
    static ModelFamily of(TransformerConfig config) {
        return ALL.stream()
                .filter(family -> family.describes(config))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "no family of Hugging Face transformers has this combination of choices: " + config
                                + ". Start from a preset of TransformerConfig (gpt2, llama, qwen2, gemma, palm), or save"
                                + " checkpoints only"));
    }
}
