package io.github.rlhf4j.transformer.files;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.rlhf4j.core.files.DurableFiles;
import io.github.rlhf4j.transformer.model.LoraAdapters;
import io.github.rlhf4j.transformer.model.LoraConfig;
import io.github.rlhf4j.transformer.model.LoraTarget;
import io.github.rlhf4j.transformer.model.ParameterStore;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Low-rank adapters in a directory as Hugging Face's PEFT writes and reads it: {@value #CONFIG_FILE} and {@value #WEIGHTS_FILE}.
 * Adapters of a scalar model have its head beside them, PEFT's {@code modules_to_save}.
 */
public final class LoraDirectory {

    /** Rank, alpha, dropout, names of the layers. */
    public static final String CONFIG_FILE = "adapter_config.json";

    /** The matrices A and B of each layer. */
    public static final String WEIGHTS_FILE = "adapter_model.safetensors";

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path weights;
    private final LoraNames names;
    private final LoraConfig lora;
    private final boolean head;

    private LoraDirectory(Path weights, LoraNames names, LoraConfig lora, boolean head) {
        this.weights = weights;
        this.names = names;
        this.lora = lora;
        this.head = head;
    }

    /**
     * Writes adapters, each file beside its place, synced and then renamed, the config last. No bit is lost.
     *
     * @param directory created when it does not exist
     * @param config of the model that is adapted
     * @param trained as {@link LoraAdapters#declare} names them, with {@value ModelDirectory#SCORE_HEAD} for a scalar model
     * @param base where other programs find that model: a directory, or a name of Hugging Face's; null leaves it open
     * @throws IllegalArgumentException when no family has the model's shape, or its family has no layer of its own for a
     *     target: GPT-2 none for queries alone, others none for queries, keys and values together
     */
    public static void save(
            Path directory, TransformerConfig config, LoraConfig lora, ParameterStore trained, @Nullable String base)
            throws IOException {
        boolean scalar = trained.contains(ModelDirectory.SCORE_HEAD);
        LoraNames names = new LoraNames(ModelFamily.of(config), config, scalar);
        var tensors = StoredWeights.of(trained, names.parts(lora, scalar), StoredWeights.Types.EXACT);
        ObjectNode description = describe(names, lora, scalar, base);
        Files.createDirectories(directory);
        DurableFiles.replace(
                directory.resolve(WEIGHTS_FILE),
                file -> Safetensors.writeTensors(file, Map.of("format", "pt"), tensors));
        DurableFiles.replace(
                directory.resolve(CONFIG_FILE), file -> Files.writeString(file, description.toPrettyString() + "\n"));
    }

    private static ObjectNode describe(LoraNames names, LoraConfig lora, boolean scalar, @Nullable String base) {
        ObjectNode json = JSON.createObjectNode();
        json.put("peft_type", "LORA");
        json.put("task_type", scalar ? "SEQ_CLS" : "CAUSAL_LM");
        json.put("base_model_name_or_path", base);
        json.put("inference_mode", true);
        json.put("r", lora.rank());
        if (lora.alpha() == Math.rint(lora.alpha()) && lora.alpha() <= Integer.MAX_VALUE) {
            json.put("lora_alpha", (int) lora.alpha());
        } else {
            json.put("lora_alpha", lora.alpha());
        }
        json.put("lora_dropout", lora.dropout());
        ArrayNode modules = json.putArray("target_modules");
        names.targetModules(lora).forEach(modules::add);
        json.put("fan_in_fan_out", names.family().modelType().equals("gpt2"));
        json.put("bias", "none");
        json.put("use_rslora", false);
        json.put("use_dora", false);
        if (scalar) {
            json.putArray("modules_to_save").add("score");
        } else {
            json.putNull("modules_to_save");
        }
        return json;
    }

    /**
     * Opens adapters of a model: reads their settings and compares them with the tensors in the file. Which projections they
     * adapt, the tensors say.
     *
     * @param config of the model that is adapted
     * @param scalar whether that is a scalar model
     * @throws IOException naming the file and the field or tensor that is missing, wrong, or asks for what there is not here
     */
    public static LoraDirectory open(Path directory, TransformerConfig config, boolean scalar) throws IOException {
        JsonFields fields = JsonFields.read(directory.resolve(CONFIG_FILE));
        Path weights = directory.resolve(WEIGHTS_FILE);
        try (SafetensorsFile file = Safetensors.open(weights)) {
            LoraNames names = new LoraNames(ModelFamily.of(config), config, scalar);
            Set<LoraTarget> targets = names.targetsIn(file);
            boolean head = scalar && file.tensors().containsKey(LoraNames.HEAD);
            LoraDirectory read = new LoraDirectory(weights, names, settings(fields, targets), head);
            var declared = LoraAdapters.declare(config, read.lora);
            if (head) {
                declared.matrix(ModelDirectory.SCORE_HEAD, 1, config.width());
            }
            read.stored(file).requireShapes(declared.shapes(), CONFIG_FILE);
            return read;
        }
    }

    private static LoraConfig settings(JsonFields fields, Set<LoraTarget> targets) throws IOException {
        fields.text("peft_type", "", Set.of("LORA"));
        fields.text("bias", "none", Set.of("none"));
        fields.requireFlag("use_dora", false, false, "there are no magnitudes here");
        for (String pattern : new String[] {"rank_pattern", "alpha_pattern"}) {
            JsonNode node = fields.root().path(pattern);
            if (!node.isMissingNode() && !node.isNull() && !node.isEmpty()) {
                throw fields.refused(pattern, "empty: all layers have one rank and alpha here", node);
            }
        }
        int rank = fields.size("r");
        double alpha = fields.number("lora_alpha", 8);
        if (fields.flag("use_rslora", false)) {
            alpha *= Math.sqrt(rank); // rank-stabilised: alpha/√r, which is alpha·√r/r
        }
        try {
            return new LoraConfig(rank, alpha, fields.number("lora_dropout", 0), targets);
        } catch (IllegalArgumentException e) {
            throw new IOException(fields.file() + ": " + e.getMessage(), e);
        }
    }

    private StoredWeights stored(TensorFile file) {
        return new StoredWeights(file, names.parts(lora, head));
    }

    /**
     * Whether adapters can be written for a model, asked before they are trained.
     *
     * @throws IllegalArgumentException naming the target that the model's family has no layer for, and those it has
     */
    public static void requireLayers(TransformerConfig config, LoraConfig lora) {
        new LoraNames(ModelFamily.of(config), config, false).parts(lora, false);
    }

    /**
     * The paper's targets, as far as the files of this model's family have layers for them: queries and values, or queries,
     * keys and values where these are one layer, as GPT-2's are.
     *
     * @throws IllegalArgumentException when no family has the model's shape
     */
    public static Set<LoraTarget> usualTargets(TransformerConfig config) {
        Set<LoraTarget> usual = LoraConfig.defaults().targets();
        return new LoraNames(ModelFamily.of(config), config, false).known().containsAll(usual)
                ? usual
                : Set.of(LoraTarget.QUERY_KEY_VALUE);
    }

    /** The adapters' settings. */
    public LoraConfig lora() {
        return lora;
    }

    /**
     * Reads the values of the adapters, and of the head where the file has one.
     *
     * @param target as {@link LoraAdapters#declare} declares it for {@link #lora()}
     * @throws IOException naming the tensor that is missing, of another shape or type, or has no place in the model; nothing
     *     has then been changed
     */
    public void readInto(ParameterStore target) throws IOException {
        try (SafetensorsFile file = Safetensors.open(weights)) {
            stored(file).readInto(target, name -> false);
        }
    }
}
