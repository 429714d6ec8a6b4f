package io.github.rlhf4j.transformer;

import io.github.rlhf4j.transformer.model.Rotary;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.model.TransformerConfig.Activation;
import io.github.rlhf4j.transformer.model.TransformerConfig.Biases;
import io.github.rlhf4j.transformer.model.TransformerConfig.BlockForm;
import io.github.rlhf4j.transformer.model.TransformerConfig.Norm;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

/** Small configs over all choices of {@link TransformerConfig}: V 13, context 12, at most 12 wide. */
public final class FamilyConfigs {

    private FamilyConfigs() {}

    /** Any combination of choices, also those that no family has. */
    public static Arbitrary<TransformerConfig> any() {
        Arbitrary<TransformerConfig> shapes = Combinators.combine(
                        Arbitraries.integers().between(2, 3),
                        Arbitraries.integers().between(1, 2),
                        Arbitraries.integers().between(1, 2),
                        Arbitraries.integers().between(1, 2),
                        Arbitraries.integers().between(3, 7))
                .as((width, layers, group, keyValueHeads, f) ->
                        TransformerConfig.gpt2(13, 12, 4 * width, layers, group * keyValueHeads).toBuilder()
                                .keyValueHeads(keyValueHeads)
                                .feedForwardWidth(f)
                                .build());
        return Combinators.combine(
                        shapes,
                        Arbitraries.of(2, 4),
                        Arbitraries.of(Norm.values()),
                        Arbitraries.of(
                                null,
                                Rotary.of(10_000),
                                new Rotary(100, new Rotary.Linear(4)),
                                new Rotary(500, new Rotary.Llama3(8, 1, 4, 64))),
                        Arbitraries.of(Activation.values()),
                        Arbitraries.of(BlockForm.values()),
                        Arbitraries.of(Biases.values()),
                        Arbitraries.of(true, false))
                .as((shape, headSize, norm, rotary, activation, block, biases, tied) -> shape.toBuilder()
                        .headSize(headSize)
                        .norm(norm)
                        .rotary(rotary)
                        .activation(activation)
                        .block(block)
                        .biases(biases)
                        .tiedEmbeddings(tied)
                        .embeddingScale(tied ? 1 : 1.5)
                        .build());
    }
}
