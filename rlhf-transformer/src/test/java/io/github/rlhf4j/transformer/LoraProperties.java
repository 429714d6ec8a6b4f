package io.github.rlhf4j.transformer;

import static io.github.rlhf4j.transformer.TransformerGradientTest.dot;
import static io.github.rlhf4j.transformer.TransformerGradientTest.weights;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.kernels.WeightFormat;
import io.github.rlhf4j.transformer.model.Recomputation;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.util.List;
import java.util.Set;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Low-rank adapters (Hu et al. 2021 §4.1) of any projections of any family. */
class LoraProperties {

    /** As in {@link FamilyEquivalenceProperties}. */
    private static final double ROUNDING = 2e-4;

    @Provide
    Arbitrary<LoraCases.Case> cases() {
        return LoraCases.any();
    }

    /** dA, dB and what goes through them to lower layers. */
    @Property(tries = 15)
    void gradientsAreSlopes(@ForAll("cases") LoraCases.Case c, @ForAll Recomputation recomputation, @ForAll long seed) {
        try (TransformerPolicy base = TestModels.policy(c.config(), seed);
                TransformerPolicy policy = base.withLora(c.lora(), AdamWConfig.gpt3(), seed)) {
            policy.setRecomputation(recomputation);
            TestModels.perturb(policy, seed + 9);
            SequenceBatch batch = LoraCases.batch(seed);
            double[][] g = weights(batch, 7);
            double[][] h = weights(batch, 8);
            try (ForwardPass pass = policy.forward(batch)) {
                pass.backward(new TokenGradients(g, h));
            }
            TransformerGradientTest.check(policy.parameters(), () -> {
                TokenScores scores = policy.score(batch);
                return dot(g, scores.logProbs()) + dot(h, scores.entropies());
            });
        }
    }

    /** On weights of a byte: they are constants like others. */
    @Property(tries = 15)
    void gradientsOnAnInt8BaseAreSlopes(
            @ForAll("cases") LoraCases.Case c, @ForAll Recomputation recomputation, @ForAll long seed) {
        try (TransformerPolicy floats = TestModels.policy(c.config(), seed);
                TransformerPolicy base = floats.copy(WeightFormat.INT8);
                TransformerPolicy policy = base.withLora(c.lora(), AdamWConfig.gpt3(), seed)) {
            policy.setRecomputation(recomputation);
            TestModels.perturb(policy, seed + 9);
            SequenceBatch batch = LoraCases.batch(seed);
            double[][] g = weights(batch, 7);
            try (ForwardPass pass = policy.forward(batch)) {
                pass.backward(new TokenGradients(g));
            }
            TransformerGradientTest.check(
                    policy.parameters(), () -> dot(g, policy.score(batch).logProbs()));
        }
    }

    /** The mask is the same on the way back and when blocks are computed again; the stream's dropout beside the adapters'. */
    @Property(tries = 4)
    void withDropoutTheGradientIsThatOfTheThinnedNetwork(
            @ForAll("cases") LoraCases.Case c,
            @ForAll Recomputation recomputation,
            @ForAll boolean stream,
            @ForAll long seed) {
        try (TransformerPolicy base = TestModels.policy(c.config().withDropout(stream ? 0.2 : 0), seed);
                TransformerPolicy policy = base.withLora(c.lora().withDropout(0.3), AdamWConfig.gpt3(), seed)) {
            policy.setRecomputation(recomputation);
            TestModels.perturb(policy, seed + 9);
            SequenceBatch batch = LoraCases.batch(seed);
            List<RandomKey> keys = TestModels.keys(RandomKey.of(seed), batch.size());
            double[][] w = weights(batch, 10);
            double[][] thinned = policy.accumulate(batch, w, keys);
            assertThat(thinned).isNotEqualTo(policy.score(batch).logProbs());
            double[] analytic = policy.parameters().gradients().dup().data().asDouble();
            TransformerGradientTest.check(
                    policy.parameters(), analytic, () -> -dot(w, policy.accumulate(batch, w, keys)));
        }
    }

    /** B = 0. */
    @Property(tries = 10)
    void newAdaptersChangeNoBit(@ForAll("cases") LoraCases.Case c, @ForAll long seed) {
        try (TransformerPolicy base = TestModels.inFloat(c.config(), seed);
                TransformerPolicy policy = base.withLora(c.lora(), AdamWConfig.gpt3(), seed)) {
            SequenceBatch batch = LoraCases.batch(seed);
            assertThat(policy.score(batch).logProbs())
                    .isDeepEqualTo(base.score(batch).logProbs());
        }
    }

    @Property(tries = 20)
    void mergedScoresAsAdapted(@ForAll("cases") LoraCases.Case c, @ForAll long seed) {
        try (TransformerPolicy base = TestModels.policy(c.config(), seed);
                TransformerPolicy policy = base.withLora(c.lora(), AdamWConfig.gpt3(), seed)) {
            TestModels.perturb(policy, seed + 9);
            SequenceBatch batch = LoraCases.batch(seed);
            double[][] adapted = policy.score(batch).logProbs();
            assertThat(adapted).isNotEqualTo(base.score(batch).logProbs());
            try (TransformerPolicy merged = policy.merged()) {
                assertThat(merged.lora()).isNull();
                double[][] actual = merged.score(batch).logProbs();
                for (int i = 0; i < adapted.length; i++) {
                    assertThat(actual[i]).containsExactly(adapted[i], within(1e-9));
                }
            }
        }
    }

    /** On merged weights, or on bytes and adapters beside them, which follow the adapters as these change. */
    @Property(tries = 30)
    void decodingIsTheFullPass(@ForAll("cases") LoraCases.Case c, @ForAll WeightFormat format, @ForAll long seed) {
        try (TransformerPolicy floats = TestModels.inFloat(c.config(), seed);
                TransformerPolicy base = floats.copy(format);
                TransformerPolicy policy = base.withLora(c.lora(), AdamWConfig.gpt3(), seed)) {
            for (int round = 0; round < 2; round++) {
                TestModels.perturb(policy, seed + round);
                policy.parameters().changed();
                List<TokenSequence> prompts =
                        List.of(TestModels.sequence(seed + 4, 3, 13), TestModels.sequence(seed + 5, 5, 13));
                List<Completion> completions = policy.complete(prompts, Sampling.exact(6, 1, Set.of()), seed);
                for (int i = 0; i < prompts.size(); i++) {
                    SequenceBatch sampled =
                            new SequenceBatch(List.of(completions.get(i).toScoredSequence()), 1);
                    assertThat(completions.get(i).logProbs())
                            .containsExactly(policy.score(sampled).logProbs()[0], within(ROUNDING));
                }
            }
        }
    }
}
