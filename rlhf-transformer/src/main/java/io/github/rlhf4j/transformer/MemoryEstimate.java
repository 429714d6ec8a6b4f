package io.github.rlhf4j.transformer;

import io.github.rlhf4j.transformer.kernels.WeightFormat;
import io.github.rlhf4j.transformer.model.LoraAdapters;
import io.github.rlhf4j.transformer.model.LoraConfig;
import io.github.rlhf4j.transformer.model.Recomputation;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What work will take of the process's memory, known from shapes before any of it is taken. Everything is in bytes, for
 * float32 models. Estimates of what is in memory at the same time add up with {@link #plus}.
 *
 * @param weights the parameters, and in generation those that adapters were merged into once more
 * @param gradients one for each parameter that is trained
 * @param moments both moments of AdamW
 * @param activations what forward passes keep for their backward passes
 * @param workspace what a pass needs for the moment: a block's intermediate results, a chunk of logits
 * @param keyValueCache keys and values of the sequences that are generated
 * @param decodingWeights the weight matrices once more, packed for decoding
 */
public record MemoryEstimate(
        long weights,
        long gradients,
        long moments,
        long activations,
        long workspace,
        long keyValueCache,
        long decodingWeights) {

    /** Allowed for the virtual machine, its heap and libraries beside all tensors; a guess. */
    public static final long JAVA_AND_LIBRARIES = 320L << 20;

    /** What takes no memory for tensors. */
    public static final MemoryEstimate NOTHING = new MemoryEstimate(0, 0, 0, 0, 0, 0, 0);

    public MemoryEstimate {
        if (Math.min(Math.min(weights, gradients), Math.min(moments, activations)) < 0
                || Math.min(workspace, Math.min(keyValueCache, decodingWeights)) < 0) {
            throw new IllegalArgumentException("no part of a memory estimate is negative, got weights " + weights
                    + ", gradients " + gradients + ", moments " + moments + ", activations " + activations
                    + ", workspace " + workspace + ", key-value cache " + keyValueCache
                    + ", decoding weights " + decodingWeights);
        }
    }

    /** A model that only infers, such as a reference policy: its weights. */
    public static MemoryEstimate frozen(TransformerConfig config) {
        return NOTHING.withWeights(new ActivationSizes(config).parameters());
    }

    /**
     * As the other {@code frozen}, with the weights of linear layers held in {@code format}: with {@link WeightFormat#INT8} a
     * byte each and a float for each column.
     */
    public static MemoryEstimate frozen(TransformerConfig config, WeightFormat format) {
        ActivationSizes sizes = new ActivationSizes(config);
        return format == WeightFormat.FLOAT32 ? frozen(config) : NOTHING.withWeightBytes(sizes.int8ParameterBytes());
    }

    /**
     * A model in training: weights, gradients, moments, and one pass that goes backward.
     *
     * @param tokens the most of a pass that goes backward, ≥ 1: a micro-batch
     */
    public static MemoryEstimate training(TransformerConfig config, long tokens, Recomputation recomputation) {
        ActivationSizes sizes = new ActivationSizes(config);
        long parameters = sizes.parameters();
        return new MemoryEstimate(
                bytes(parameters),
                bytes(parameters),
                bytes(2 * parameters),
                bytes(sizes.kept(tokens, recomputation)),
                bytes(sizes.backwardWorkspace(tokens, recomputation)),
                0,
                0);
    }

    /**
     * Low-rank adapters in training on a model that is in memory already: theirs are weights, gradients and moments, and one
     * pass of the whole model goes backward. Add {@link #frozen} for the model itself, once for all who share it.
     *
     * @param tokens the most of a pass that goes backward, ≥ 1: a micro-batch
     */
    public static MemoryEstimate lora(
            TransformerConfig config, LoraConfig lora, long tokens, Recomputation recomputation) {
        ActivationSizes sizes = new ActivationSizes(config);
        long parameters = LoraAdapters.declare(config, lora).count();
        return new MemoryEstimate(
                bytes(parameters),
                bytes(parameters),
                bytes(2 * parameters),
                bytes(sizes.kept(tokens, recomputation)),
                bytes(sizes.backwardWorkspace(tokens, recomputation) + sizes.adapter(tokens, lora)),
                0,
                0);
    }

    /**
     * Scoring with a model that is in memory already; it goes through sequences in parts of bounded size.
     *
     * @param tokens of all sequences, ≥ 1
     */
    public static MemoryEstimate scoring(TransformerConfig config, long tokens) {
        long part = Math.min(tokens, Microbatches.tokens(config));
        return NOTHING.withWorkspace(new ActivationSizes(config).inference(part));
    }

    /**
     * Generation with a model that is in memory already.
     *
     * @param sequences that are decoded together, ≥ 1
     * @param length the most tokens of each, prompt and response, ≥ 1
     */
    public static MemoryEstimate generation(TransformerConfig config, long sequences, long length) {
        ActivationSizes sizes = new ActivationSizes(config);
        return NOTHING.withWorkspace(sizes.prefill(sequences, length)).withDecoding(sizes, sequences, length);
    }

    /**
     * Generation with adapters on a model that is in memory already. On float weights they are merged: the adapted matrices are
     * there once more, in native memory, beside the packed ones. On int8 weights these are packed as bytes, and the adapters
     * stay beside them.
     *
     * @param base what the weights of the model's linear layers are held in
     * @param sequences that are decoded together, ≥ 1
     * @param length the most tokens of each, prompt and response, ≥ 1
     */
    public static MemoryEstimate generation(
            TransformerConfig config, LoraConfig lora, WeightFormat base, long sequences, long length) {
        ActivationSizes sizes = new ActivationSizes(config);
        MemoryEstimate plain = generation(config, sequences, length);
        return base == WeightFormat.FLOAT32
                ? plain.withWeights(sizes.adaptedWeights(lora))
                : plain.withDecodingWeightBytes(sizes.int8DecodingBytes());
    }

    private MemoryEstimate withWeights(long elements) {
        return withWeightBytes(bytes(elements));
    }

    private MemoryEstimate withWeightBytes(long bytes) {
        return new MemoryEstimate(bytes, gradients, moments, activations, workspace, keyValueCache, decodingWeights);
    }

    private MemoryEstimate withWorkspace(long elements) {
        return new MemoryEstimate(
                weights, gradients, moments, activations, bytes(elements), keyValueCache, decodingWeights);
    }

    private MemoryEstimate withDecodingWeightBytes(long bytes) {
        return new MemoryEstimate(weights, gradients, moments, activations, workspace, keyValueCache, bytes);
    }

    private MemoryEstimate withDecoding(ActivationSizes sizes, long sequences, long length) {
        return new MemoryEstimate(
                weights,
                gradients,
                moments,
                activations,
                workspace,
                bytes(sizes.keyValueCache(sequences, length)),
                bytes(sizes.decodingWeights()));
    }

    private static long bytes(long elements) {
        return Math.multiplyExact(elements, Float.BYTES);
    }

    /** Both at the same time. */
    public MemoryEstimate plus(MemoryEstimate other) {
        return new MemoryEstimate(
                weights + other.weights,
                gradients + other.gradients,
                moments + other.moments,
                activations + other.activations,
                workspace + other.workspace,
                keyValueCache + other.keyValueCache,
                decodingWeights + other.decodingWeights);
    }

    /** All tensors, {@link #offHeap()} and {@link #onHeap()}. */
    public long tensors() {
        return offHeap() + onHeap();
    }

    /** In native memory. */
    public long offHeap() {
        return weights + gradients + moments + activations + workspace;
    }

    /**
     * On Java's heap: what decoding keeps with the fused kernels, the default on a CPU. ND4J's kernels, and so a GPU, keep
     * keys and values in native memory and pack nothing.
     */
    public long onHeap() {
        return keyValueCache + decodingWeights;
    }

    /** All tensors, and Java itself. */
    public long total() {
        return tensors() + JAVA_AND_LIBRARIES;
    }

    /**
     * Refuses work that will not fit.
     *
     * @param available bytes the process may use, as {@link MemoryLimit} says
     * @param remedy what to lower, a sentence for the message
     * @throws IllegalStateException when it does not fit, saying what is needed, what there is, and the remedy
     */
    public void requireFits(MemoryLimit available, String remedy) {
        if (total() > available.bytes()) {
            throw new IllegalStateException("this needs " + this + "; the process may use "
                    + gibibytes(available.bytes()) + ", by " + available.reason() + ". " + remedy);
        }
    }

    /** As the other {@code requireFits}, against what this process may use. */
    public void requireFits() {
        requireFits(
                MemoryLimit.ofProcess(),
                "Lower the tokens of a micro-batch, the model's width or its layers, or let blocks be computed again"
                        + " (setRecomputation(Recomputation.BLOCKS)).");
    }

    /** Such as "about 2.4 GiB: weights 475 MiB, …"; parts that are nothing are left out. */
    @Override
    public String toString() {
        Map<String, Long> parts = new LinkedHashMap<>();
        parts.putAll(partsOffHeap());
        parts.putAll(partsOnHeap());
        parts.put("Java and libraries", JAVA_AND_LIBRARIES);
        return "about " + gibibytes(total()) + ": " + describe(parts);
    }

    /** The parts of {@link #offHeap()}, such as "weights 475 MiB, gradients 475 MiB"; those that are nothing are left out. */
    public String describeOffHeap() {
        return describe(partsOffHeap());
    }

    /** The parts of {@link #onHeap()}, such as "key-value cache 12 MiB"; those that are nothing are left out. */
    public String describeOnHeap() {
        return describe(partsOnHeap());
    }

    private Map<String, Long> partsOffHeap() {
        Map<String, Long> parts = new LinkedHashMap<>();
        parts.put("weights", weights);
        parts.put("gradients", gradients);
        parts.put("Adam's moments", moments);
        parts.put("activations", activations);
        parts.put("workspace", workspace);
        return parts;
    }

    private Map<String, Long> partsOnHeap() {
        Map<String, Long> parts = new LinkedHashMap<>();
        parts.put("key-value cache", keyValueCache);
        parts.put("packed weights", decodingWeights);
        return parts;
    }

    private static String describe(Map<String, Long> parts) {
        return parts.entrySet().stream()
                .filter(part -> part.getValue() > 0)
                .map(part -> part.getKey() + " " + mebibytes(part.getValue()))
                .collect(Collectors.joining(", "));
    }

    private static String gibibytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f GiB", bytes / 0x1p30);
    }

    private static String mebibytes(long bytes) {
        double mebibytes = bytes / 0x1p20;
        return String.format(Locale.ROOT, mebibytes < 10 ? "%.1f MiB" : "%.0f MiB", mebibytes);
    }
}
