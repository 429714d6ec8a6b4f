package io.github.rlhf4j.transformer.files;

import io.github.rlhf4j.transformer.files.gguf.GgufFile;
import io.github.rlhf4j.transformer.files.gguf.GgufMetadata;
import io.github.rlhf4j.transformer.files.gguf.GgufType;
import io.github.rlhf4j.transformer.files.gguf.GgufValue;
import io.github.rlhf4j.transformer.model.Rotary;
import io.github.rlhf4j.transformer.model.Transformer;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.model.TransformerConfig.Biases;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.DoublePredicate;
import org.jspecify.annotations.Nullable;

/**
 * What llama.cpp calls a family, its metadata and its tensors. Rotary positions of {@code llama} turn neighbours, those of
 * the others halves of a head; gains of {@code gemma} are stored whole.
 */
enum GgufArchitecture {
    GPT2("gpt2", new Gpt2Family()),
    LLAMA("llama", LlamaFamily.LLAMA),
    QWEN2("qwen2", LlamaFamily.QWEN2),
    GEMMA("gemma", LlamaFamily.GEMMA);

    /** Divisors of rotary frequencies, {@code [D/2]}. */
    static final String FREQUENCY_FACTORS = "rope_freqs.weight";

    private final String id;
    private final ModelFamily family;

    GgufArchitecture(String id, ModelFamily family) {
        this.id = id;
        this.family = family;
    }

    /** {@code general.architecture}. */
    String id() {
        return id;
    }

    static GgufArchitecture of(Path file, String id) throws IOException {
        return Arrays.stream(values())
                .filter(architecture -> architecture.id.equals(id))
                .findFirst()
                .orElseThrow(() -> new IOException(file + ": general.architecture must be one of "
                        + Arrays.stream(values()).map(GgufArchitecture::id).toList() + ", it is " + id));
    }

    /** The architecture of this shape. */
    static GgufArchitecture of(TransformerConfig config) {
        return Arrays.stream(values())
                .filter(architecture -> architecture.describes(config))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no architecture of llama.cpp that is known here ("
                        + Arrays.stream(values()).map(GgufArchitecture::id).toList()
                        + ") has this combination of choices: " + config));
    }

    private boolean describes(TransformerConfig config) {
        Rotary rotary = config.rotary();
        Rotary.Scaling scaling = rotary == null ? null : rotary.scaling();
        boolean scaled = scaling instanceof Rotary.Llama3 || scaling instanceof Rotary.Divided;
        TransformerConfig unscaled = scaled
                ? config.toBuilder().rotary(Rotary.of(rotary(config).base())).build()
                : config;
        boolean biases = config.biases() == Biases.ALL && this != GPT2;
        return family.describes(unscaled) && !biases && (this == LLAMA || !scaled);
    }

    private static Rotary rotary(TransformerConfig config) {
        return Objects.requireNonNull(config.rotary());
    }

    /** The tensors of a model. */
    List<StoredPart> layout(TransformerConfig config) {
        if (this != GPT2) {
            return LlamaNames.GGUF.layout(config, this == LLAMA, 0, false);
        }
        List<StoredPart> parts = new ArrayList<>();
        parts.add(StoredPart.asItIs("token_embd.weight", "transformer.wte.weight"));
        parts.add(StoredPart.asItIs("position_embd.weight", "transformer.wpe.weight"));
        for (int layer = 0; layer < config.layers(); layer++) {
            String theirs = "blk." + layer + ".";
            String ours = "transformer.h." + layer + ".";
            addVectors(parts, theirs + "attn_norm", ours + "ln_1");
            addLinear(parts, theirs + "attn_qkv", ours + "attn.c_attn");
            addLinear(parts, theirs + "attn_output", ours + "attn.c_proj");
            addVectors(parts, theirs + "ffn_norm", ours + "ln_2");
            addLinear(parts, theirs + "ffn_up", ours + "mlp.c_fc");
            addLinear(parts, theirs + "ffn_down", ours + "mlp.c_proj");
        }
        addVectors(parts, "output_norm", "transformer.ln_f");
        if (!config.tiedEmbeddings()) {
            parts.add(StoredPart.asItIs("output.weight", Transformer.HEAD));
        }
        return parts;
    }

    private static void addVectors(List<StoredPart> parts, String theirs, String ours) {
        parts.add(StoredPart.asItIs(theirs + ".weight", ours + ".weight"));
        parts.add(StoredPart.asItIs(theirs + ".bias", ours + ".bias"));
    }

    private static void addLinear(List<StoredPart> parts, String theirs, String ours) {
        parts.add(StoredPart.transposed(theirs + ".weight", ours + ".weight"));
        parts.add(StoredPart.asItIs(theirs + ".bias", ours + ".bias"));
    }

    /** A metadata key of this architecture, read with its bounds. */
    private record Keys(GgufFile file, String id) {

        GgufMetadata metadata() {
            return file.metadata();
        }

        int size(String key) throws IOException {
            return upTo(key, Integer.MAX_VALUE);
        }

        int upTo(String key, int most) throws IOException {
            long value = metadata().whole(id + "." + key);
            if (value < 1 || value > most) {
                throw refused(key, "lie between 1 and " + most, value);
            }
            return (int) value;
        }

        int size(String key, int absent) throws IOException {
            return metadata().has(id + "." + key) ? size(key) : absent;
        }

        double number(String key, double absent) throws IOException {
            return metadata().has(id + "." + key) ? metadata().real(id + "." + key) : absent;
        }

        double number(String key, double absent, DoublePredicate holds, String rule) throws IOException {
            double value = number(key, absent);
            if (!holds.test(value)) {
                throw refused(key, rule, value);
            }
            return value;
        }

        IOException refused(String key, String rule, Object found) {
            return new IOException(file.path() + ": metadata " + id + "." + key + " must " + rule + ", it is " + found
                    + "; convert the model again, with a current llama.cpp");
        }
    }

    /** The shape that metadata and tensors describe. */
    TransformerConfig read(GgufFile file) throws IOException {
        Keys keys = new Keys(file, id);
        int width = keys.upTo("embedding_length", JsonFields.MOST_WIDTH);
        int heads = keys.size("attention.head_count");
        int headSize = headSize(keys, width, heads);
        int vocabulary = vocabulary(file);
        int context = keys.size("context_length");
        int layers = keys.size("block_count");
        TransformerConfig start =
                switch (this) {
                    case GPT2 -> TransformerConfig.gpt2(vocabulary, context, width, layers, 1);
                    case LLAMA -> TransformerConfig.llama(vocabulary, context, width, layers, 1);
                    case QWEN2 -> TransformerConfig.qwen2(vocabulary, context, width, layers, 1);
                    case GEMMA -> TransformerConfig.gemma(vocabulary, context, width, layers, 1);
                };
        String epsilon = this == GPT2 ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon";
        int keyValueHeads = keys.size("attention.head_count_kv", heads);
        if (heads % keyValueHeads != 0) {
            throw keys.refused(
                    "attention.head_count_kv", "be a divisor of attention.head_count (" + heads + ")", keyValueHeads);
        }
        return start.toBuilder()
                .heads(heads)
                .keyValueHeads(keyValueHeads)
                .headSize(headSize)
                .feedForwardWidth(keys.upTo("feed_forward_length", JsonFields.MOST_FEED_FORWARD))
                .normEpsilon(keys.number(epsilon, start.normEpsilon(), e -> e > 0 && e < 1, "lie between 0 and 1"))
                .rotary(this == GPT2 ? null : rotary(keys, headSize))
                .tiedEmbeddings(!file.tensors().containsKey("output.weight"))
                .build();
    }

    /** V: the rows of the embedding. */
    private static int vocabulary(GgufFile file) throws IOException {
        TensorInfo embedding = file.require("token_embd.weight");
        if (embedding.shape().length != 2 || embedding.shape()[0] > Integer.MAX_VALUE) {
            throw new IOException(file.path() + ": tensor " + embedding
                    + " must have two dimensions, the first one a vocabulary below 2^31");
        }
        return (int) embedding.shape()[0];
    }

    private int headSize(Keys keys, int width, int heads) throws IOException {
        String key = "attention.key_length";
        boolean own = keys.metadata().has(id + "." + key);
        if (!own && width % heads != 0) {
            throw keys.refused("embedding_length", "be a multiple of attention.head_count (" + heads + ")", width);
        }
        if (this != GPT2 && width % 2 != 0) {
            throw keys.refused("embedding_length", "be even, as rotary positions turn pairs", width);
        }
        int size = keys.size(key, Math.max(1, width / heads));
        if (this != GPT2 && size % 2 != 0) {
            throw keys.refused(
                    own ? key : "embedding_length",
                    own ? "be even, as rotary positions turn pairs" : "be an even number times attention.head_count",
                    own ? size : width);
        }
        if (3L * heads * size > Integer.MAX_VALUE) {
            throw keys.refused(
                    "attention.head_count",
                    "be at most " + Integer.MAX_VALUE / 3 / size + " with an attention.key_length of " + size,
                    heads);
        }
        return size;
    }

    private static Rotary rotary(Keys keys, int headSize) throws IOException {
        int turned = keys.size("rope.dimension_count", headSize);
        if (turned != headSize) {
            throw new IOException(keys.file().path() + ": metadata " + keys.id() + ".rope.dimension_count must be "
                    + headSize + ", all of a head (attention.key_length), it is " + turned);
        }
        double base =
                keys.number("rope.freq_base", 10_000, x -> x > 1 && Double.isFinite(x), "be a finite number above 1");
        return new Rotary(base, scaling(keys, headSize));
    }

    private static Rotary.@Nullable Scaling scaling(Keys keys, int headSize) throws IOException {
        if (keys.file().tensors().containsKey(FREQUENCY_FACTORS)) {
            TensorInfo factors = keys.file().require(FREQUENCY_FACTORS);
            if (factors.length() != headSize / 2) {
                throw new IOException(keys.file().path() + ": tensor " + FREQUENCY_FACTORS + " must have "
                        + headSize / 2 + " numbers, it has " + factors.length());
            }
            double[] divisors = new double[headSize / 2];
            keys.file().read(FREQUENCY_FACTORS, 0, divisors, 0, divisors.length);
            try {
                return new Rotary.Divided(Arrays.stream(divisors).boxed().toList());
            } catch (IllegalArgumentException e) {
                throw new IOException(keys.file().path() + ": tensor " + FREQUENCY_FACTORS + ": " + e.getMessage(), e);
            }
        }
        String type = keys.id() + ".rope.scaling.type";
        if (!keys.metadata().has(type) || keys.metadata().text(type).equals("none")) {
            return null;
        }
        if (!keys.metadata().text(type).equals("linear")) {
            throw new IOException(keys.file().path() + ": metadata " + type + " must be none or linear, it is "
                    + keys.metadata().text(type));
        }
        return new Rotary.Linear(keys.number(
                "rope.scaling.factor", 1, x -> x >= 1 && Double.isFinite(x), "be a finite number of at least 1"));
    }

    /** Adds the metadata of a shape. */
    void describe(TransformerConfig config, Map<String, GgufValue> metadata) {
        putSize(metadata, "vocab_size", config.vocabularySize());
        putSize(metadata, "context_length", config.contextLength());
        putSize(metadata, "embedding_length", config.width());
        putSize(metadata, "block_count", config.layers());
        putSize(metadata, "feed_forward_length", config.feedForwardWidth());
        putSize(metadata, "attention.head_count", config.heads());
        putSize(metadata, "attention.head_count_kv", config.keyValueHeads());
        putNumber(
                metadata,
                this == GPT2 ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon",
                config.normEpsilon());
        if (this == GPT2) {
            return;
        }
        Rotary rotary = rotary(config);
        putSize(metadata, "attention.key_length", config.headSize());
        putSize(metadata, "attention.value_length", config.headSize());
        putSize(metadata, "rope.dimension_count", config.headSize());
        putNumber(metadata, "rope.freq_base", rotary.base());
        if (rotary.scaling() instanceof Rotary.Linear linear) {
            metadata.put(id + ".rope.scaling.type", new GgufValue.Text("linear"));
            putNumber(metadata, "rope.scaling.factor", linear.factor());
        }
    }

    /** The tensor of {@link #FREQUENCY_FACTORS} for scaled frequencies; none for others. */
    static List<WritableTensor> frequencyFactors(TransformerConfig config) {
        Rotary rotary = config.rotary();
        if (rotary == null || rotary.scaling() == null || rotary.scaling() instanceof Rotary.Linear) {
            return List.of();
        }
        double[] plain = Rotary.of(rotary.base()).frequencies(config.headSize());
        double[] scaled = rotary.frequencies(config.headSize());
        Numbers divisors = (first, into, at, length) -> {
            for (int i = 0; i < length; i++) {
                into[at + i] = (float) (plain[(int) first + i] / scaled[(int) first + i]);
            }
        };
        return List.of(new WritableTensor(FREQUENCY_FACTORS, TensorType.F32, new long[] {plain.length}, divisors));
    }

    private void putSize(Map<String, GgufValue> metadata, String key, int value) {
        metadata.put(id + "." + key, GgufModel.uint32(value));
    }

    private void putNumber(Map<String, GgufValue> metadata, String key, double value) {
        metadata.put(id + "." + key, new GgufValue.Real(GgufType.FLOAT32, (float) value));
    }
}
