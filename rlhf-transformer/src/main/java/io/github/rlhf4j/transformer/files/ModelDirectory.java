package io.github.rlhf4j.transformer.files;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.files.DurableFiles;
import io.github.rlhf4j.transformer.model.ParameterStore;
import io.github.rlhf4j.transformer.model.Transformer;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.tokenizer.TokenizerFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A model in a directory that Hugging Face {@code transformers} opens as it is: {@code config.json},
 * {@code model.safetensors} (or shards and their index), {@code tokenizer.json}, {@code tokenizer_config.json},
 * {@code generation_config.json}. A store that holds {@value #SCORE_HEAD} is written as a {@code …ForSequenceClassification} with one label, any other as a causal language
 * model.
 *
 * <p>Families: GPT-2, LLaMA (SmolLM2), Mistral, Qwen2, Gemma, and PaLM's shape under the name of Cohere. Numbers are read from F32,
 * F16, BF16 (and F64 into a store of doubles). Files of a bare model, whose names lack the prefix {@code transformer.} or
 * {@code model.}, are read too.
 */
public final class ModelDirectory implements ModelSource {

    /** The reward model's head, {@code [1, C]}. */
    public static final String SCORE_HEAD = "score.weight";

    /** Bytes of tensors in one file, as {@code transformers} cuts them. */
    public static final long SHARD_BYTES = 5_000_000_000L;

    /** The name of the chat template that counts unless another is asked for. */
    public static final String DEFAULT_TEMPLATE = "default";

    private static final String CHAT_TEMPLATE = "chat_template.jinja";

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path directory;
    private final ModelFamily family;
    private final TransformerConfig config;
    private final boolean scoreHead;

    private ModelDirectory(Path directory, ModelFamily family, TransformerConfig config, boolean scoreHead) {
        this.directory = directory;
        this.family = family;
        this.config = config;
        this.scoreHead = scoreHead;
    }

    /**
     * Writes a model, each file beside its place, synced and then renamed, {@code config.json} last. No bit is lost.
     *
     * @param directory created when it does not exist; files of an older model in it are replaced
     * @param parameters as {@link Transformer#declare} names them
     * @param tokenizer with no more tokens than the model's vocabulary
     * @throws IllegalArgumentException when the tokenizer knows tokens that the model does not, is of a kind that
     *     {@link TokenizerFiles} cannot write, or no family has the model's shape
     */
    public static void save(Path directory, TransformerConfig config, ParameterStore parameters, Tokenizer tokenizer)
            throws IOException {
        save(directory, config, parameters, tokenizer, StoredWeights.Types.EXACT, SHARD_BYTES);
    }

    /**
     * As the other {@code save}, for other programs.
     *
     * @param type F32, F16 or BF16, to which numbers are rounded
     * @param shardBytes the most bytes of tensors in one file, ≥ 1
     */
    public static void save(
            Path directory,
            TransformerConfig config,
            ParameterStore parameters,
            Tokenizer tokenizer,
            TensorType type,
            long shardBytes)
            throws IOException {
        save(directory, config, parameters, tokenizer, StoredWeights.Types.all(type), shardBytes);
    }

    private static void save(
            Path directory,
            TransformerConfig config,
            ParameterStore parameters,
            Tokenizer tokenizer,
            StoredWeights.Types types,
            long shardBytes)
            throws IOException {
        if (tokenizer.vocabularySize() > config.vocabularySize()) {
            throw new IllegalArgumentException("the tokenizer has " + tokenizer.vocabularySize() + " tokens, the model "
                    + config.vocabularySize() + "; save a model with its own tokenizer");
        }
        ModelFamily family = ModelFamily.of(config);
        boolean scalar = parameters.contains(SCORE_HEAD);
        List<WritableTensor> tensors = StoredWeights.of(parameters, parts(family, config, scalar), types);
        SpecialTokenIds ids = SpecialTokenIds.of(tokenizer);
        ObjectNode description = describe(family, config, scalar, tensors.get(0).type());
        ids.describe(description);
        ObjectNode generation = JSON.createObjectNode();
        ids.describeGeneration(generation);

        Files.createDirectories(directory);
        TokenizerFiles.save(tokenizer, directory);
        TokenizerFiles.saveConfig(tokenizer, directory, ids.padding());
        SafetensorsSet.write(directory, Map.of("format", "pt"), tensors, shardBytes);
        DurableFiles.replace(directory.resolve("generation_config.json"), file -> writeJson(file, generation));
        DurableFiles.replace(directory.resolve("config.json"), file -> writeJson(file, description));
    }

    /** Adds the template by which a model converses to a saved model, where {@code transformers} finds it. */
    public static void saveChatTemplate(Path directory, String template) throws IOException {
        DurableFiles.replace(directory.resolve(CHAT_TEMPLATE), template.getBytes(StandardCharsets.UTF_8));
    }

    private static List<StoredPart> parts(ModelFamily family, TransformerConfig config, boolean scalar) {
        List<StoredPart> parts = new ArrayList<>(family.layout(config, scalar));
        if (scalar) {
            parts.add(StoredPart.asItIs(SCORE_HEAD, SCORE_HEAD));
        }
        return parts;
    }

    private static ObjectNode describe(ModelFamily family, TransformerConfig config, boolean scalar, TensorType type) {
        ObjectNode json = JSON.createObjectNode();
        json.putArray("architectures").add(family.architecture(scalar));
        json.put("model_type", family.modelType());
        family.describe(config, json);
        json.put("tie_word_embeddings", config.tiedEmbeddings());
        json.put("torch_dtype", dtype(type));
        json.put("use_cache", true);
        if (scalar) {
            json.put("num_labels", 1);
            json.putObject("id2label").put("0", "SCORE");
            json.putObject("label2id").put("SCORE", 0);
        }
        return json;
    }

    private static String dtype(TensorType type) {
        return switch (type) {
            case F16 -> "float16";
            case BF16 -> "bfloat16";
            default -> "float32";
        };
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
        JsonFields fields = JsonFields.read(directory.resolve("config.json"));
        ModelFamily family = family(fields);
        ModelDirectory model;
        try {
            model = new ModelDirectory(directory, family, family.read(fields), fields.namesClassifier());
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new IOException(fields.file() + ": the shape that it describes cannot be: " + e.getMessage(), e);
        }
        try (SafetensorsSet file = SafetensorsSet.open(directory)) {
            model.requireShapes(file);
        }
        return model;
    }

    private static ModelFamily family(JsonFields fields) throws IOException {
        Set<String> known = ModelFamily.ALL.stream().map(ModelFamily::modelType).collect(Collectors.toSet());
        String type = fields.text("model_type", "", known);
        return ModelFamily.ALL.stream()
                .filter(family -> family.modelType().equals(type))
                .findFirst()
                .orElseThrow();
    }

    /** Names as many layers as the file may hold tensors and one more, so that a hostile number of them costs nothing. */
    private void requireShapes(SafetensorsSet file) throws IOException {
        int layers = Math.min(config.layers(), file.tensors().size() + 1);
        TransformerConfig named = config.toBuilder().layers(layers).build();
        ParameterStore.Builder declared = scoreHead ? Transformer.declare(named) : Transformer.declareWithHead(named);
        if (scoreHead) {
            declared.matrix(SCORE_HEAD, 1, named.width());
        }
        StoredWeights.of(file, parts(family, named, scoreHead), family.prefix())
                .requireShapes(declared.shapes(), "config.json");
    }

    @Override
    public TransformerConfig config() {
        return config;
    }

    @Override
    public boolean hasScoreHead() {
        return scoreHead;
    }

    /** Reads {@code tokenizer.json}. */
    @Override
    public Tokenizer tokenizer() throws IOException {
        Path file = directory.resolve(TokenizerFiles.FILE_NAME);
        Tokenizer tokenizer = TokenizerFiles.load(file);
        if (tokenizer.vocabularySize() > config.vocabularySize()) {
            throw new IOException(file + ": has " + tokenizer.vocabularySize() + " tokens, the model of config.json "
                    + config.vocabularySize());
        }
        return tokenizer;
    }

    /** {@code chat_template.jinja}, or the template in {@code tokenizer_config.json}; of several, the default one. */
    @Override
    public Optional<String> chatTemplate() throws IOException {
        return chatTemplate(directory, DEFAULT_TEMPLATE);
    }

    /**
     * The chat template of this name in a directory: for {@value #DEFAULT_TEMPLATE} {@code chat_template.jinja} where it is;
     * otherwise the {@code chat_template} of {@code tokenizer_config.json}, one or several with names.
     */
    public static Optional<String> chatTemplate(Path directory, String name) throws IOException {
        boolean isDefault = name.equals(DEFAULT_TEMPLATE);
        Path own = directory.resolve(CHAT_TEMPLATE);
        if (isDefault && Files.exists(own)) {
            return Optional.of(JsonFields.text(own));
        }
        Path file = directory.resolve("tokenizer_config.json");
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        JsonNode template = JsonFields.read(file).root().path("chat_template");
        if (template.isTextual()) {
            return isDefault ? Optional.of(template.textValue()) : Optional.empty();
        }
        for (JsonNode named : template) {
            if (named.path("name").asText().equals(name)
                    && named.path("template").isTextual()) {
                return Optional.of(named.path("template").textValue());
            }
        }
        return Optional.empty();
    }

    @Override
    public String storedTypes() throws IOException {
        try (SafetensorsSet file = SafetensorsSet.open(directory)) {
            return StoredWeights.types(file);
        }
    }

    @Override
    public void readInto(ParameterStore target) throws IOException {
        boolean scalar = target.contains(SCORE_HEAD);
        try (SafetensorsSet file = SafetensorsSet.open(directory)) {
            StoredWeights.of(file, parts(family, config, scalar), family.prefix())
                    .readInto(target, name -> holdsNothingLearned(name, scalar));
        }
    }

    /** Causal masks and frequencies that old files carry, and a token head tied to the embedding or not wanted. */
    private boolean holdsNothingLearned(String name, boolean scalar) {
        return name.endsWith(".attn.bias")
                || name.endsWith(".attn.masked_bias")
                || name.endsWith(".rotary_emb.inv_freq")
                || (name.equals(Transformer.HEAD) && (scalar || config.tiedEmbeddings()));
    }
}
