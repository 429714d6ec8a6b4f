package io.github.rlhf4j.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import java.util.List;
import java.util.Set;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** What holds for every family: float is double up to rounding, decoding is the full pass, a copy is the original. */
class FamilyEquivalenceProperties {

    /** Float32 through two blocks whose weights are perturbed by 0.1: some hundred roundings of numbers of some units. */
    private static final double ROUNDING = 2e-4;

    @Provide
    Arbitrary<TransformerConfig> configs() {
        return FamilyConfigs.any();
    }

    private static SequenceBatch batch(long seed) {
        return new SequenceBatch(
                List.of(
                        ScoredSequence.of(TestModels.sequence(seed + 1, 3, 13), TestModels.sequence(seed + 2, 4, 13)),
                        ScoredSequence.ofText(TestModels.sequence(seed + 3, 6, 13))),
                1);
    }

    @Property(tries = 40)
    void fusedKernelsAgreeWithTheReferenceInDouble(@ForAll("configs") TransformerConfig config, @ForAll long seed) {
        try (TransformerPolicy exact = TestModels.policy(config, seed);
                TransformerPolicy fast = TestModels.inFloat(config, seed)) {
            SequenceBatch batch = batch(seed);
            double[][] g = TransformerGradientTest.weights(batch, 7);
            for (TransformerPolicy policy : List.of(exact, fast)) {
                try (ForwardPass pass = policy.forward(batch)) {
                    pass.backward(new TokenGradients(g));
                }
            }
            double[][] expected = exact.score(batch).logProbs();
            double[][] actual = fast.score(batch).logProbs();
            for (int i = 0; i < expected.length; i++) {
                assertThat(actual[i]).containsExactly(expected[i], within(ROUNDING));
            }
            double[] slope = exact.parameters().gradients().dup().data().asDouble();
            double[] fastSlope = fast.parameters().gradients().dup().data().asDouble();
            for (int i = 0; i < slope.length; i++) {
                assertThat(fastSlope[i]).isCloseTo(slope[i], within(ROUNDING * (1 + Math.abs(slope[i]))));
            }
        }
    }

    @Property(tries = 30)
    void decodingWithACacheIsTheFullPass(@ForAll("configs") TransformerConfig config, @ForAll long seed) {
        try (TransformerPolicy policy = TestModels.inFloat(config, seed)) {
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

    @Property(tries = 10)
    void aCopyScoresTheSameBits(@ForAll("configs") TransformerConfig config, @ForAll long seed) {
        try (TransformerPolicy policy = TestModels.inFloat(config, seed);
                TransformerPolicy copy = policy.copy()) {
            assertThat(copy.score(batch(seed)).logProbs())
                    .isDeepEqualTo(policy.score(batch(seed)).logProbs());
        }
    }
}
