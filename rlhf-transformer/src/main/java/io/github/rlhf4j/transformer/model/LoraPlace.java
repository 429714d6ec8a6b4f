package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.AttentionShape;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Where an adapter is: columns {@code [from, from + count)} of a linear layer.
 *
 * @param layer number of the block
 * @param target which of its projections
 * @param linear name of the linear layer, {@code "transformer.h.0.attn.c_attn"}
 * @param inputs rows of the layer's weight
 * @param outputs columns of the layer's weight
 * @param from the first column that is adapted
 * @param count columns that are adapted
 */
public record LoraPlace(int layer, LoraTarget target, String linear, int inputs, int outputs, int from, int count) {

    /**
     * The places of a model's adapters, block by block, in the order of {@link LoraTarget}.
     *
     * @throws IllegalArgumentException when the model has no such projection
     */
    public static List<LoraPlace> of(TransformerConfig config, LoraConfig lora) {
        List<LoraPlace> places = new ArrayList<>();
        for (int layer = 0; layer < config.layers(); layer++) {
            for (LoraTarget target : lora.targets()) {
                places.add(of(config, layer, target));
            }
        }
        return places;
    }

    private static LoraPlace of(TransformerConfig config, int layer, LoraTarget target) {
        AttentionShape shape = config.attention();
        int c = config.width();
        int f = config.feedForwardWidth();
        int wide = config.widenedWidth();
        if (target == LoraTarget.GATE && wide == f) {
            throw new IllegalArgumentException("GATE has no place in a model whose feed-forward layer has no gate ("
                    + config.activation() + "); name UP and DOWN");
        }
        return switch (target) {
            case QUERY -> attention(layer, target, config, 0, shape.queryWidth());
            case KEY -> attention(layer, target, config, shape.keysFrom(), shape.keyWidth());
            case VALUE -> attention(layer, target, config, shape.valuesFrom(), shape.keyWidth());
            case QUERY_KEY_VALUE -> attention(layer, target, config, 0, shape.rowWidth());
            case ATTENTION_OUTPUT ->
                new LoraPlace(layer, target, name(layer, "attn.c_proj"), shape.queryWidth(), c, 0, c);
            case GATE -> new LoraPlace(layer, target, name(layer, "mlp.c_fc"), c, wide, 0, f);
            case UP -> new LoraPlace(layer, target, name(layer, "mlp.c_fc"), c, wide, wide - f, f);
            case DOWN -> new LoraPlace(layer, target, name(layer, "mlp.c_proj"), f, c, 0, c);
        };
    }

    private static LoraPlace attention(int layer, LoraTarget target, TransformerConfig config, int from, int count) {
        int outputs = config.attention().rowWidth();
        return new LoraPlace(layer, target, name(layer, "attn.c_attn"), config.width(), outputs, from, count);
    }

    private static String name(int layer, String linear) {
        return "transformer.h." + layer + "." + linear;
    }

    /** Whether all columns are adapted. */
    public boolean isWhole() {
        return count == outputs;
    }

    /** Name of A, {@code [inputs, rank]}. */
    public String a() {
        return name("lora_A");
    }

    /** Name of B, {@code [rank, count]}. */
    public String b() {
        return name("lora_B");
    }

    private String name(String matrix) {
        return linear + "." + target.name().toLowerCase(Locale.ROOT) + "." + matrix;
    }
}
