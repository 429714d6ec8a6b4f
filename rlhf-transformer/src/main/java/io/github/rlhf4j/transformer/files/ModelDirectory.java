package io.github.rlhf4j.transformer.files;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.files.DurableFiles;
import io.github.rlhf4j.transformer.model.Parameter;
import io.github.rlhf4j.transformer.model.ParameterStore;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.tokenizer.TokenizerFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A model in a directory that Hugging Face {@code transformers} opens as it is: {@code config.json},
 * {@code model.safetensors}, {@code tokenizer.json}, {@code generation_config.json}. A store that holds
 * {@value #SCORE_HEAD} is written as a {@code GPT2ForSequenceClassification} with one label, any other as a
 * {@code GPT2LMHeadModel}.
 *
 * <p>Parameters are named and laid out as Hugging Face has them (linear layers {@code [in, out]}), so that saving is a
 * copy. Files of a bare {@code GPT2Model}, whose names lack the prefix {@code transformer.}, are read too.
 */
public final class ModelDirectory {

    /** The reward model's head, {@code [1, C]}. */
    public static final String SCORE_HEAD = "score.weight";

    private static final String PREFIX = "transformer.";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path directory;
    private final TransformerConfig config;
    private final boolean scoreHead;

    private ModelDirectory(Path directory, TransformerConfig config, boolean scoreHead) {
        this.directory = directory;
        this.config = config;
        this.scoreHead = scoreHead;
    }

    /**
     * Writes a model, each file beside its place, synced and then renamed, {@code config.json} last.
     *
     * @param directory created when it does not exist; files of an older model in it are replaced
     * @param parameters named as Hugging Face names them
     * @param tokenizer with no more tokens than the model's vocabulary
     * @throws IllegalArgumentException when the tokenizer knows tokens that the model does not, or is of a kind that
     *     {@link TokenizerFiles} cannot write
     */
    public static void save(Path directory, TransformerConfig config, ParameterStore parameters, Tokenizer tokenizer)
            throws IOException {
        if (tokenizer.vocabularySize() > config.vocabularySize()) {
            throw new IllegalArgumentException("the tokenizer has " + tokenizer.vocabularySize() + " tokens, the model "
                    + config.vocabularySize() + "; save a model with its own tokenizer");
        }
        SpecialTokenIds ids = SpecialTokenIds.of(tokenizer);
        ObjectNode description = Gpt2ConfigFile.describe(config, ids, parameters.contains(SCORE_HEAD));
        ObjectNode generation = JSON.createObjectNode();
        ids.describeGeneration(generation);

        Files.createDirectories(directory);
        TokenizerFiles.save(tokenizer, directory);
        DurableFiles.replace(directory.resolve("model.safetensors"), file -> saveParameters(file, parameters));
        DurableFiles.replace(directory.resolve("generation_config.json"), file -> writeJson(file, generation));
        DurableFiles.replace(directory.resolve("config.json"), file -> writeJson(file, description));
    }

    private static void saveParameters(Path file, ParameterStore parameters) throws IOException {
        List<FlatTensor> tensors = parameters.parameters().stream()
                .map(parameter -> FlatTensor.of(parameters, parameter))
                .toList();
        Safetensors.write(file, Map.of("format", "pt"), tensors);
    }

    private static void writeJson(Path file, ObjectNode json) throws IOException {
        Files.writeString(file, json.toPrettyString() + "\n");
    }

    /**
     * Opens a saved model: reads its shape, and compares it with the tensors in the file, so that memory allocated for
     * {@link #config()} is no more than the file's own size asks for.
     *
     * @throws IOException naming the file and the field or tensor that is missing or wrong
     */
    public static ModelDirectory open(Path directory) throws IOException {
        Gpt2ConfigFile.Contents contents = Gpt2ConfigFile.read(directory.resolve("config.json"));
        ModelDirectory model = new ModelDirectory(directory, contents.config(), contents.scoreHead());
        try (SafetensorsFile file = Safetensors.open(model.weights())) {
            model.requireShape(file);
        }
        return model;
    }

    private void requireShape(SafetensorsFile file) throws IOException {
        long c = config.width();
        requireShape(file, "transformer.wte.weight", config.vocabularySize(), c);
        requireShape(file, "transformer.wpe.weight", config.contextLength(), c);
        for (int layer = 0; layer < config.layers(); layer++) {
            requireShape(file, PREFIX + "h." + layer + ".attn.c_attn.weight", c, 3 * c);
            requireShape(file, PREFIX + "h." + layer + ".mlp.c_fc.weight", c, config.feedForwardWidth());
        }
        if (scoreHead) {
            requireShape(file, SCORE_HEAD, 1, c);
        }
    }

    private void requireShape(SafetensorsFile file, String name, long... shape) throws IOException {
        TensorInfo tensor = file.tensors().get(storedName(file, name));
        if (tensor == null || !Arrays.equals(tensor.shape(), shape)) {
            throw new IOException(weights() + ": tensor " + name + " must have the shape " + Arrays.toString(shape)
                    + " that config.json asks for, it "
                    + (tensor == null ? "is missing" : "has " + Arrays.toString(tensor.shape())));
        }
    }

    /** The shape of the model. */
    public TransformerConfig config() {
        return config;
    }

    /** Whether this is a reward model, with {@value #SCORE_HEAD}. */
    public boolean hasScoreHead() {
        return scoreHead;
    }

    /**
     * Reads {@code tokenizer.json}.
     *
     * @throws IOException when it is missing or damaged, or has more tokens than the model's vocabulary
     */
    public Tokenizer tokenizer() throws IOException {
        Path file = directory.resolve(TokenizerFiles.FILE_NAME);
        Tokenizer tokenizer = TokenizerFiles.load(file);
        if (tokenizer.vocabularySize() > config.vocabularySize()) {
            throw new IOException(file + ": has " + tokenizer.vocabularySize() + " tokens, the model of config.json "
                    + config.vocabularySize());
        }
        return tokenizer;
    }

    /**
     * Reads the values of all parameters of {@code target}. Every tensor is found and compared before the first one is
     * copied, so that a file that does not fit changes nothing.
     *
     * @throws IOException naming the tensor that is missing, of another shape or type, or has no place in the model
     */
    public void readInto(ParameterStore target) throws IOException {
        try (SafetensorsFile file = Safetensors.open(weights())) {
            Map<String, FlatTensor> plan = new LinkedHashMap<>();
            for (Parameter parameter : target.parameters()) {
                String stored = storedName(file, parameter.name());
                FlatTensor tensor = FlatTensor.of(target, parameter);
                file.require(stored, tensor);
                plan.put(stored, tensor);
            }
            requireNothingElse(file, plan.keySet());
            for (Map.Entry<String, FlatTensor> step : plan.entrySet()) {
                file.read(step.getKey(), step.getValue());
            }
            target.changed();
        }
    }

    private static String storedName(SafetensorsFile file, String name) {
        boolean bare = !file.tensors().containsKey(name) && name.startsWith(PREFIX);
        String without = bare ? name.substring(PREFIX.length()) : name;
        return file.tensors().containsKey(without) ? without : name;
    }

    /** The causal masks that old files carry, and a token head tied to the embedding, hold nothing that is learned. */
    private void requireNothingElse(SafetensorsFile file, Set<String> used) throws IOException {
        Set<String> rest = new LinkedHashSet<>(file.tensors().keySet());
        rest.removeAll(used);
        rest.removeIf(name -> name.endsWith(".attn.bias") || name.endsWith(".attn.masked_bias"));
        rest.remove("lm_head.weight");
        if (!rest.isEmpty()) {
            throw new IOException(weights() + ": holds tensors that have no place in this model: " + rest);
        }
    }

    private Path weights() {
        return directory.resolve("model.safetensors");
    }
}
