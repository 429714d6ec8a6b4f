package io.github.rlhf4j.transformer.files.llama2c;

import io.github.rlhf4j.transformer.files.TensorInfo;
import io.github.rlhf4j.transformer.files.TensorType;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The seven numbers at the head of a llama2.c model (version 0), and the tensors that follow from them.
 *
 * @param width of the residual stream, C
 * @param hidden width of the feed-forward layers
 * @param layers 1 to 10,000
 * @param heads that divide {@code width} into even head sizes
 * @param keyValueHeads that divide {@code heads}
 * @param vocabularySize V
 * @param contextLength positions that the rotary tables cover
 * @param tiedEmbeddings whether the output matrix is the embedding; the file says so by the sign of the vocabulary size
 */
public record Llama2cHeader(
        int width,
        int hidden,
        int layers,
        int heads,
        int keyValueHeads,
        int vocabularySize,
        int contextLength,
        boolean tiedEmbeddings) {

    private static final int MOST_LAYERS = 10_000;

    public Llama2cHeader {
        require("dim", width, width >= 1, "at least 1");
        require("hidden_dim", hidden, hidden >= 1, "at least 1");
        require("n_layers", layers, layers >= 1 && layers <= MOST_LAYERS, "from 1 to " + MOST_LAYERS);
        require("n_heads", heads, heads >= 1 && width % heads == 0, "a divisor of dim " + width);
        require("dim", width, width / heads % 2 == 0, "an even head size times n_heads " + heads);
        boolean divides = keyValueHeads >= 1 && heads % keyValueHeads == 0;
        require("n_kv_heads", keyValueHeads, divides, "a divisor of n_heads " + heads);
        require("vocab_size", vocabularySize, vocabularySize >= 1, "at least 1 in magnitude");
        require("seq_len", contextLength, contextLength >= 1, "at least 1");
    }

    private static void require(String field, int value, boolean holds, String rule) {
        if (!holds) {
            throw new IllegalArgumentException(field + " must be " + rule + ", it is " + value);
        }
    }

    /** Width of one head. */
    public int headSize() {
        return width / heads;
    }

    /**
     * Bytes of all tensors, without naming them.
     *
     * @throws IllegalArgumentException when no file is so large
     */
    long tensorBytes() {
        try {
            long rows = 2 + 2L * width + 2L * headSize() * keyValueHeads + 3L * hidden; // of a layer, each C wide
            long layerFloats = Math.multiplyExact(Math.multiplyExact(rows, (long) width), (long) layers);
            long embeddings = Math.multiplyExact((tiedEmbeddings ? 1L : 2L) * vocabularySize, (long) width);
            long rest = width + 2L * contextLength * (headSize() / 2);
            return Math.multiplyExact(4L, Math.addExact(layerFloats, Math.addExact(embeddings, rest)));
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException(this + " asks for more bytes than any file has", e);
        }
    }

    /**
     * All tensors in the order of the file, named as llama2.c's {@code model.py} names them, places counted from the end of
     * the header. Matrices are {@code [out, in]}; a kind of matrix lies layer after layer, not a layer's kinds together. The
     * rotary tables ({@code freq_cis_real}, {@code freq_cis_imag}, {@code [seq_len, headSize/2]}) are a legacy that llama2.c
     * itself skips.
     *
     * @throws ArithmeticException when they are larger than any file
     */
    public Map<String, TensorInfo> tensors() {
        int keyValueWidth = headSize() * keyValueHeads;
        Layout layout = new Layout();
        layout.add("tok_embeddings.weight", vocabularySize, width);
        layout.addPerLayer("attention_norm.weight", width);
        layout.addPerLayer("attention.wq.weight", width, width);
        layout.addPerLayer("attention.wk.weight", keyValueWidth, width);
        layout.addPerLayer("attention.wv.weight", keyValueWidth, width);
        layout.addPerLayer("attention.wo.weight", width, width);
        layout.addPerLayer("ffn_norm.weight", width);
        layout.addPerLayer("feed_forward.w1.weight", hidden, width);
        layout.addPerLayer("feed_forward.w2.weight", width, hidden);
        layout.addPerLayer("feed_forward.w3.weight", hidden, width);
        layout.add("norm.weight", width);
        layout.add("freq_cis_real", contextLength, headSize() / 2);
        layout.add("freq_cis_imag", contextLength, headSize() / 2);
        if (!tiedEmbeddings) {
            layout.add("output.weight", vocabularySize, width);
        }
        return Collections.unmodifiableMap(layout.tensors);
    }

    private final class Layout {

        private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
        private long end;

        void addPerLayer(String name, long... shape) {
            for (int layer = 0; layer < layers; layer++) {
                add("layers." + layer + "." + name, shape);
            }
        }

        void add(String name, long... shape) {
            long begin = end;
            end = Math.addExact(begin, TensorType.F32.bytes(shape));
            tensors.put(name, new TensorInfo(name, TensorType.F32, shape, begin, end));
        }
    }
}
