package io.github.rlhf4j.transformer;

import static io.github.rlhf4j.transformer.TransformerGradientTest.dot;
import static io.github.rlhf4j.transformer.TransformerGradientTest.weights;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.transformer.model.Recomputation;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import java.util.List;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Gradients are slopes whatever the family: norms, positions, gates, grouped heads, block forms, biases, heads. */
class FamilyGradientProperties {

    @Provide
    Arbitrary<TransformerConfig> configs() {
        return FamilyConfigs.any();
    }

    /** Prompt and response, so that the last block computes tails; with and without recomputation. */
    @Property(tries = 30)
    void gradientsAreSlopes(
            @ForAll("configs") TransformerConfig config, @ForAll Recomputation recomputation, @ForAll long seed) {
        try (TransformerPolicy policy = TestModels.policy(config, seed)) {
            policy.setRecomputation(recomputation);
            SequenceBatch batch = new SequenceBatch(
                    List.of(
                            ScoredSequence.of(
                                    TestModels.sequence(seed + 1, 3, 13), TestModels.sequence(seed + 2, 4, 13)),
                            ScoredSequence.ofText(TestModels.sequence(seed + 3, 6, 13))),
                    0.8);
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

    /** The KL to a reference of another family beside the rest; it is a constant. */
    @Property(tries = 6)
    void gradientsOfTheExactKlAreSlopes(
            @ForAll("configs") TransformerConfig config,
            @ForAll("configs") TransformerConfig other,
            @ForAll boolean alone,
            @ForAll long seed) {
        try (TransformerPolicy policy = TestModels.policy(config, seed);
                TransformerPolicy reference = TestModels.policy(other, seed + 9)) {
            SequenceBatch batch = new SequenceBatch(
                    List.of(
                            ScoredSequence.of(
                                    TestModels.sequence(seed + 1, 3, 13), TestModels.sequence(seed + 2, 4, 13)),
                            ScoredSequence.ofText(TestModels.sequence(seed + 3, 6, 13))),
                    0.8);
            double[][] g = weights(batch, 7);
            double[][] h = alone ? null : weights(batch, 8);
            double[][] k = weights(batch, 9);
            try (ForwardPass pass = policy.forward(batch, reference)) {
                pass.backward(new TokenGradients(g, h, k));
            }
            TransformerGradientTest.check(policy.parameters(), () -> {
                try (ForwardPass pass = policy.forward(batch, reference)) {
                    TokenScores scores = pass.scores();
                    return dot(g, scores.logProbs()) + (alone ? 0 : dot(h, scores.entropies())) + dot(k, scores.kls());
                }
            });
            assertThat(reference.parameters().gradients().amaxNumber().doubleValue())
                    .isZero();
        }
    }
}
