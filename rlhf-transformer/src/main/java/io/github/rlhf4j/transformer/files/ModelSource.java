package io.github.rlhf4j.transformer.files;

import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.transformer.model.ParameterStore;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/** A model on disk, whatever its format: its shape, its tokenizer, and the values of its parameters. */
public interface ModelSource {

    /** The shape of the model. */
    TransformerConfig config();

    /** Whether this is a reward model, with {@value ModelDirectory#SCORE_HEAD}. */
    boolean hasScoreHead();

    /**
     * The model's tokenizer.
     *
     * @throws IOException when it is missing, damaged, or has more tokens than the model's vocabulary
     */
    Tokenizer tokenizer() throws IOException;

    /** The Jinja template by which the model was taught to converse, where the files hold one. */
    Optional<String> chatTemplate() throws IOException;

    /** What the numbers are stored as, such as {@code "F32"} or {@code "Q4_1 (210), F32 (61)"}, with how many tensors. */
    String storedTypes() throws IOException;

    /**
     * Reads the values of all parameters of {@code target}. Every tensor is found and compared before the first one is
     * copied, so that a file that does not fit changes nothing.
     *
     * @throws IOException naming the tensor that is missing, of another shape or type, or has no place in the model
     */
    void readInto(ParameterStore target) throws IOException;

    /**
     * Opens a model: a directory of Hugging Face {@code transformers} ({@link ModelDirectory}), a {@code .gguf} file of
     * llama.cpp ({@link GgufModel}), or a {@code .bin} file of llama2.c ({@link Llama2cModel}).
     *
     * @throws IOException naming the file and what is wrong with it
     */
    static ModelSource open(Path path) throws IOException {
        String name = String.valueOf(path.getFileName()).toLowerCase(Locale.ROOT);
        if (Files.isDirectory(path)) {
            return ModelDirectory.open(path);
        }
        if (!Files.exists(path)) {
            throw new IOException(path + " does not exist; a model is a directory with config.json, a .gguf file, or a"
                    + " .bin file of llama2.c");
        }
        if (name.endsWith(".gguf")) {
            return GgufModel.open(path);
        }
        if (name.endsWith(".bin")) {
            return Llama2cModel.open(path);
        }
        throw new IOException(path + " is no model that is known here: it must be a directory with config.json, a .gguf"
                + " file, or a .bin file of llama2.c");
    }
}
