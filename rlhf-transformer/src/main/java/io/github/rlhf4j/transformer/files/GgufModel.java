package io.github.rlhf4j.transformer.files;

import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.files.DurableFiles;
import io.github.rlhf4j.transformer.files.gguf.GgufFile;
import io.github.rlhf4j.transformer.files.gguf.GgufMetadata;
import io.github.rlhf4j.transformer.files.gguf.GgufType;
import io.github.rlhf4j.transformer.files.gguf.GgufValue;
import io.github.rlhf4j.transformer.model.ParameterStore;
import io.github.rlhf4j.transformer.model.Transformer;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.tokenizer.GgufTokenizers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A model in a GGUF file, as llama.cpp and Ollama run it, with its tokenizer. Architectures: gpt2, llama (LLaMA, Mistral,
 * SmolLM2), qwen2, gemma. Quantised tensors are read as the floats they stand for.
 */
public final class GgufModel implements ModelSource {

    private static final String CHAT_TEMPLATE = "tokenizer.chat_template";

    private final Path path;
    private final TransformerConfig config;
    private final GgufArchitecture architecture;

    private GgufModel(Path path, TransformerConfig config, GgufArchitecture architecture) {
        this.path = path;
        this.config = config;
        this.architecture = architecture;
    }

    /**
     * Opens a file: reads the shape, and compares it with the tensors.
     *
     * @throws IOException naming the metadata key or tensor that is missing or wrong
     */
    public static GgufModel open(Path path) throws IOException {
        try (GgufFile file = GgufFile.open(path)) {
            GgufArchitecture architecture =
                    GgufArchitecture.of(path, file.metadata().text("general.architecture"));
            TransformerConfig config;
            try {
                config = architecture.read(file);
            } catch (IllegalArgumentException | ArithmeticException e) {
                throw new IOException(path + ": the shape that the metadata describes cannot be: " + e.getMessage(), e);
            }
            int layers = Math.min(config.layers(), file.tensors().size() + 1);
            TransformerConfig named = config.toBuilder().layers(layers).build();
            new StoredWeights(file, architecture.layout(named))
                    .requireShapes(Transformer.declareWithHead(named).shapes(), "the metadata");
            return new GgufModel(path, config, architecture);
        }
    }

    /**
     * Writes a model that llama.cpp and Ollama run: beside its place, synced and renamed.
     *
     * @param type F32, F16, BF16 or Q8_0 for matrices; those whose rows are no multiple of 32 long become F16 instead of Q8_0.
     *     Vectors and learned positions stay F32
     * @param chatTemplate for conversations; empty for none
     * @throws IllegalArgumentException when llama.cpp has no architecture of this shape or no form for the tokenizer
     */
    public static void save(
            Path path,
            TransformerConfig config,
            ParameterStore parameters,
            Tokenizer tokenizer,
            Optional<String> chatTemplate,
            TensorType type)
            throws IOException {
        if (parameters.contains(ModelDirectory.SCORE_HEAD)) {
            throw new IllegalArgumentException("a reward model has no form in GGUF here; save it as a directory");
        }
        if (tokenizer.vocabularySize() != config.vocabularySize()) {
            throw new IllegalArgumentException("llama.cpp wants as many tokens as rows of the embedding: the tokenizer"
                    + " has " + tokenizer.vocabularySize() + ", the model " + config.vocabularySize());
        }
        GgufArchitecture architecture = GgufArchitecture.of(config);
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        metadata.put("general.architecture", new GgufValue.Text(architecture.id()));
        metadata.put("general.name", new GgufValue.Text("rlhf4j"));
        metadata.put("general.file_type", uint32(fileType(type)));
        metadata.put("general.quantization_version", uint32(2));
        architecture.describe(config, metadata);
        GgufTokenizers.metadata(tokenizer).forEach((key, value) -> metadata.put(key, value(key, value)));
        chatTemplate.ifPresent(template -> metadata.put(CHAT_TEMPLATE, new GgufValue.Text(template)));
        List<WritableTensor> tensors = new ArrayList<>(StoredWeights.of(
                parameters, architecture.layout(config), (part, shape, store) -> stored(part, shape, type)));
        tensors.addAll(GgufArchitecture.frequencyFactors(config));
        DurableFiles.replace(path, file -> GgufFile.write(file, metadata, tensors));
    }

    private static TensorType stored(StoredPart part, long[] shape, TensorType type) {
        if (shape.length == 1 || part.parameter().equals("transformer.wpe.weight")) {
            return TensorType.F32;
        }
        boolean whole = shape[1] % type.blockLength() == 0;
        return whole ? type : TensorType.F16;
    }

    /** llama.cpp's number of what most tensors are stored as. */
    private static long fileType(TensorType type) {
        return switch (type) {
            case F32 -> 0;
            case F16 -> 1;
            case Q8_0 -> 7;
            case BF16 -> 32;
            default -> throw new IllegalArgumentException("GGUF is written as F32, F16, BF16 or Q8_0, not as " + type);
        };
    }

    static GgufValue uint32(long value) {
        return new GgufValue.Whole(GgufType.UINT32, value);
    }

    private static GgufValue value(String key, Object value) {
        if (value instanceof String text) {
            return new GgufValue.Text(text);
        }
        if (value instanceof Boolean flag) {
            return new GgufValue.Flag(flag);
        }
        if (value instanceof Integer whole) {
            return uint32(whole);
        }
        if (value instanceof List<?> list) {
            List<GgufValue> elements =
                    list.stream().map(element -> element(key, element)).toList();
            GgufType type =
                    elements.isEmpty() ? GgufType.STRING : elements.get(0).type();
            return new GgufValue.Values(type, elements);
        }
        throw new IllegalArgumentException(key + " has a value that GGUF has no form for: " + value);
    }

    private static GgufValue element(String key, Object element) {
        if (element instanceof Float real) {
            return new GgufValue.Real(GgufType.FLOAT32, real);
        }
        if (element instanceof Integer whole) {
            return new GgufValue.Whole(GgufType.INT32, whole);
        }
        return value(key, element);
    }

    @Override
    public TransformerConfig config() {
        return config;
    }

    @Override
    public boolean hasScoreHead() {
        return false;
    }

    @Override
    public Tokenizer tokenizer() throws IOException {
        try (GgufFile file = GgufFile.open(path)) {
            Map<String, Object> values = new LinkedHashMap<>();
            file.metadata().values().forEach((key, value) -> {
                if (key.startsWith("tokenizer.")) {
                    values.put(key, plain(value));
                }
            });
            Tokenizer tokenizer = GgufTokenizers.of(values);
            if (tokenizer.vocabularySize() > config.vocabularySize()) {
                throw new IOException(path + ": has " + tokenizer.vocabularySize() + " tokens, and an embedding of "
                        + config.vocabularySize() + " rows");
            }
            return tokenizer;
        } catch (IllegalArgumentException e) {
            throw new IOException(path + ": " + e.getMessage(), e);
        }
    }

    private static Object plain(GgufValue value) {
        if (value instanceof GgufValue.Text text) {
            return text.value();
        }
        if (value instanceof GgufValue.Flag flag) {
            return flag.value();
        }
        if (value instanceof GgufValue.Whole whole) {
            return whole.value();
        }
        if (value instanceof GgufValue.Real real) {
            return real.value();
        }
        return ((GgufValue.Values) value)
                .values().stream().map(GgufModel::plain).toList();
    }

    @Override
    public Optional<String> chatTemplate() throws IOException {
        try (GgufFile file = GgufFile.open(path)) {
            GgufMetadata metadata = file.metadata();
            return metadata.has(CHAT_TEMPLATE) ? Optional.of(metadata.text(CHAT_TEMPLATE)) : Optional.empty();
        }
    }

    @Override
    public String storedTypes() throws IOException {
        try (GgufFile file = GgufFile.open(path)) {
            return StoredWeights.types(file);
        }
    }

    @Override
    public void readInto(ParameterStore target) throws IOException {
        try (GgufFile file = GgufFile.open(path)) {
            new StoredWeights(file, architecture.layout(config))
                    .readInto(target, name -> name.equals(GgufArchitecture.FREQUENCY_FACTORS));
        }
    }
}
