package io.github.rlhf4j.transformer;

import static io.github.rlhf4j.transformer.TransformerGradientTest.dot;
import static io.github.rlhf4j.transformer.TransformerGradientTest.weights;

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
}
