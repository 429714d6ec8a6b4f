package io.github.rlhf4j.transformer;

import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.kernels.KeyValueCache;
import io.github.rlhf4j.transformer.model.CachedDecoder;
import io.github.rlhf4j.transformer.model.LoraConfig;
import io.github.rlhf4j.transformer.model.LoraPlace;
import io.github.rlhf4j.transformer.model.ParameterStore;
import io.github.rlhf4j.transformer.model.Recomputation;
import io.github.rlhf4j.transformer.model.Transformer;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.model.TransformerConfig.BlockForm;
import java.util.HashMap;
import java.util.Map;

/**
 * How many numbers passes hold in an arena, from shapes alone: N rows, of which all are scored.
 *
 * <pre>
 * kept for the backward pass, each row
 *   residual stream                                       C
 *   each block: normalised rows, qkv, mixed, wide, 1/σ    C + C + Q + A + W + 2    (C when blocks are computed again)
 *   final norm: output, normalised rows, 1/σ              C + C + 1
 * for the moment, each row, the larger of
 *   token head: dHidden, scored rows and their gradient   C + C + C, and a chunk of logits
 *   a block's backward: dHidden, dX, then
 *     feed-forward: norm's output, active, dActive, dIn   C + F + F + C            (C more with dropout, 2F with gates)
 *     attention: norm's output, dMixed, dQkv, dIn         C + A + Q + C            (C more with dropout)
 *     and the block's cache, when it is computed again    2C + Q + A + W + 2
 * </pre>
 *
 * <p>A = H·D, Q = (H + 2K)·D, W = F, or 2F with gates. A parallel block holds both branches' at once.
 */
record ActivationSizes(TransformerConfig config) {

    long parameters() {
        return Transformer.declareWithHead(config).count();
    }

    /** Bytes of the parameters where the weights of linear layers are int8: these, a scale for each column, and the others. */
    long int8ParameterBytes() {
        ParameterStore.Builder.LinearCount linear =
                Transformer.declareWithHead(config).linearCount();
        return linear.elements() + Float.BYTES * (linear.columns() + parameters() - linear.elements());
    }

    /** Bytes of those weights packed for decoding, with the token head's floats. */
    long int8DecodingBytes() {
        ParameterStore.Builder.LinearCount linear =
                Transformer.declareWithHead(config).linearCount();
        return linear.elements() + Float.BYTES * (linear.columns() + config.vocabularySize() * c());
    }

    /** Elements of the matrices that have adapters. */
    long adaptedWeights(LoraConfig lora) {
        Map<String, Long> sizes = new HashMap<>();
        LoraPlace.of(config, lora).forEach(place -> sizes.put(place.linear(), (long) place.inputs() * place.outputs()));
        return sizes.values().stream().mapToLong(Long::longValue).sum();
    }

    private long c() {
        return config.width();
    }

    private long f() {
        return config.feedForwardWidth();
    }

    /** A. */
    private long mixed() {
        return config.attention().queryWidth();
    }

    /** Q. */
    private long qkv() {
        return config.attention().rowWidth();
    }

    /** W. */
    private long wide() {
        return config.widenedWidth();
    }

    private boolean parallel() {
        return config.block() == BlockForm.PARALLEL;
    }

    private long cache() {
        return (parallel() ? c() : 2 * c()) + qkv() + mixed() + wide() + 2;
    }

    private long dropout() {
        return config.dropout() > 0 ? c() : 0;
    }

    /** What a forward pass over this many tokens keeps. */
    long kept(long tokens, Recomputation recomputation) {
        long block = recomputation == Recomputation.NONE ? cache() : c();
        return tokens * (config.layers() * block + 3 * c() + 1);
    }

    /** The most that is there beside what is kept, on the way forward and back. */
    long backwardWorkspace(long tokens, Recomputation recomputation) {
        long head = tokens * 3 * c() + logits(tokens);
        long feedForward = 2 * f() + 2 * c() + (config.activation().gated() ? wide() : 0);
        long attention = 2 * c() + mixed() + qkv();
        long block = (parallel() ? feedForward + attention : Math.max(feedForward, attention)) + dropout();
        long again = recomputation == Recomputation.NONE ? 0 : cache();
        return Math.max(head, tokens * (2 * c() + block + again));
    }

    /** What the largest adapter's backward pass takes: its input thinned, the gradient of that, columns it adapts, and twice r. */
    long adapter(long tokens, LoraConfig lora) {
        long thinned = lora.dropout() > 0 ? 1 : 0;
        return tokens
                * LoraPlace.of(config, lora).stream()
                        .mapToLong(place -> (1 + thinned) * place.inputs()
                                + (place.isWhole() ? 0 : place.count())
                                + 2L * lora.rank())
                        .max()
                        .orElse(0);
    }

    /** The most that a pass holds which goes forward only: output, stream, and one block or the head. */
    long inference(long tokens) {
        long block = tokens * (cache() + Math.max(f(), c()));
        return Math.max(tokens * 2 * c() + block, tokens * 2 * c() + logits(tokens));
    }

    long prefill(long sequences, long length) {
        long tokens = Math.min(sequences * length, Math.max(length, CachedDecoder.PREFILL_TOKENS));
        return Math.max(inference(tokens), sequences * (c() + config.vocabularySize()));
    }

    long keyValueCache(long sequences, long length) {
        long positions = (length + KeyValueCache.GROWTH - 1) / KeyValueCache.GROWTH * KeyValueCache.GROWTH;
        return 2 * sequences * positions * config.attention().keyWidth() * config.layers();
    }

    /** The matrices of all blocks and of the token head. */
    long decodingWeights() {
        return config.layers() * (c() * (qkv() + mixed()) + c() * (wide() + f())) + config.vocabularySize() * c();
    }

    private long logits(long tokens) {
        return Math.min(tokens, Math.max(1, Kernels.LOGITS_AT_ONCE / config.vocabularySize()))
                * config.vocabularySize();
    }
}
