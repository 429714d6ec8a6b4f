package io.github.rlhf4j.transformer;

import static io.github.rlhf4j.transformer.TransformerGradientTest.dot;
import static io.github.rlhf4j.transformer.TransformerGradientTest.weights;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.ActorCritic;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.model.LoraConfig;
import io.github.rlhf4j.transformer.model.LoraTarget;
import io.github.rlhf4j.transformer.model.Recomputation;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Adapters are trained and nothing else is: base, reference and all who share the memory stay as they are. */
class LoraTest {

    @TempDir
    Path root;

    private final TransformerConfig config = TestModels.tiny();
    private final SequenceBatch batch = LoraCases.batch(1);

    private void train(TransformerPolicy policy, int from, int to) {
        for (int step = from; step < to; step++) {
            policy.accumulate(batch, weights(batch, step), TestModels.keys(RandomKey.of(step), batch.size()));
            policy.update(1e-2);
        }
    }

    private static float[] values(TransformerPolicy policy) {
        return policy.parameters().values().dup().data().asFloat();
    }

    @Test
    void trainingLeavesTheBaseAsItIsAndWithoutGradients() {
        try (TransformerPolicy base = TestModels.inFloat(config, 1);
                TransformerPolicy policy = base.withLora(LoraCases.ALL.withDropout(0.1), AdamWConfig.gpt3(), 2)) {
            float[] before = values(base);
            double[][] reference = base.score(batch).logProbs();
            train(policy, 0, 3);
            assertThat(policy.score(batch).logProbs()).isNotEqualTo(reference);
            assertThat(values(base)).containsExactly(before);
            assertThat(base.score(batch).logProbs()).isDeepEqualTo(reference);
            assertThat(base.parameters().bytes())
                    .as("values alone")
                    .isEqualTo(4 * base.parameters().count());
            assertThat(policy.parameters().bytes())
                    .as("adapters and their gradients")
                    .isEqualTo(2 * 4 * policy.parameters().count());
        }
    }

    /** Adapters that are closed leave the base usable. */
    @Test
    void severalShareOneBase() {
        try (TransformerPolicy base = TestModels.inFloat(config, 1)) {
            double[][] reference = base.score(batch).logProbs();
            try (TransformerPolicy one = base.withLora(LoraCases.ALL, AdamWConfig.gpt3(), 2);
                    TransformerPolicy other = base.withLora(LoraConfig.defaults(), AdamWConfig.gpt3(), 3)) {
                train(one, 0, 2);
                assertThat(other.score(batch).logProbs()).isDeepEqualTo(reference);
            }
            assertThat(base.score(batch).logProbs()).isDeepEqualTo(reference);
            assertThat(base.parameters().bytes())
                    .isEqualTo(4 * base.parameters().count());
        }
    }

    @Test
    void aRestoredRunGoesOnToTheSameBits() throws IOException {
        LoraConfig lora = LoraCases.ALL.withDropout(0.1);
        Path state = Files.createDirectory(root.resolve("state"));
        try (TransformerPolicy base = TestModels.inFloat(config, 1);
                TransformerPolicy whole = base.withLora(lora, AdamWConfig.gpt3(), 2);
                TransformerPolicy resumed = base.withLora(lora, AdamWConfig.gpt3(), 77)) {
            train(whole, 0, 2);
            whole.saveState(state);
            resumed.restoreState(state);
            train(whole, 2, 4);
            train(resumed, 2, 4);
            assertThat(values(resumed)).containsExactly(values(whole));
            assertThat(resumed.score(batch).logProbs())
                    .isDeepEqualTo(whole.score(batch).logProbs());
        }
    }

    @Test
    void scalarModelsTrainAdaptersAndHead() {
        List<TokenSequence> sequences = List.of(TestModels.sequence(1, 5, 13), TestModels.sequence(2, 9, 13));
        List<int[]> positions = List.of(new int[] {4}, new int[] {0, 3, 8});
        double[][] d = {{0.7}, {-0.4, 1.1, 0.3}};
        try (TransformerPolicy base = TestModels.policy(config, 4);
                ScalarTransformer model = ScalarTransformer.ofLora(base, LoraCases.ALL, AdamWConfig.gpt3(), 6);
                ScalarTransformer own = ScalarTransformer.of(base, AdamWConfig.gpt3(), 6);
                ScalarTransformer onOwn = own.withLora(LoraCases.ALL, AdamWConfig.gpt3(), 7)) {
            assertThat(model.score(sequences, positions)).isDeepEqualTo(own.score(sequences, positions));
            assertThat(onOwn.score(sequences, positions)).isDeepEqualTo(own.score(sequences, positions));
            model.parameters().values().addi(0.05); // B is no longer zero
            try (ScalarTransformer.ScalarPass pass = model.forward(sequences, positions)) {
                pass.backward(d);
            }
            TransformerGradientTest.check(model.parameters(), () -> dot(d, model.score(sequences, positions)));
            try (ScalarTransformer merged = model.merged()) {
                double[][] expected = model.score(sequences, positions);
                double[][] actual = merged.score(sequences, positions);
                assertThat(actual[1]).containsExactly(expected[1], within(1e-9));
            }
        }
    }

    @Test
    void policyAndValueOnSharedMemory() {
        try (TransformerPolicy base = TestModels.policy(config, 5);
                TransformerActorCritic both =
                        TransformerActorCritic.ofLora(base, LoraCases.ALL, AdamWConfig.gpt3(), 6)) {
            both.parameters().values().addi(0.05);
            double[][] g = weights(batch, 11);
            double[][] v = weights(batch, 12);
            try (ActorCritic.JointPass pass = both.forwardJointly(batch)) {
                pass.backward(new TokenGradients(g), v);
            }
            TransformerGradientTest.check(
                    both.parameters(), () -> dot(g, both.score(batch).logProbs()) + dot(v, both.values(batch)));
            try (TransformerPolicy alone = both.toPolicy()) {
                assertThat(alone.score(batch).logProbs()[0])
                        .containsExactly(both.score(batch).logProbs()[0], within(1e-9));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"0.1, NONE", "0.1, BLOCKS", "0, NONE"})
    void memoryIsWhatWasForetold(double dropout, Recomputation recomputation) {
        TransformerConfig wide = TransformerConfig.gpt2(300, 128, 256, 8, 4);
        LoraConfig lora = LoraCases.ALL.withRank(8).withDropout(dropout);
        int sequences = 4;
        MemoryEstimate estimate = MemoryEstimate.lora(wide, lora, sequences * 128L, recomputation);
        try (TransformerPolicy base = TransformerPolicy.create(wide, TestModels.ids(300), AdamWConfig.gpt3(), 1);
                TransformerPolicy policy = base.withLora(lora, AdamWConfig.gpt3(), 2)) {
            policy.setRecomputation(recomputation);
            SequenceBatch full = new SequenceBatch(IntStream.range(0, sequences)
                    .mapToObj(i -> ScoredSequence.ofText(TestModels.sequence(i, 128, 300)))
                    .toList());
            for (int step = 0; step < 2; step++) {
                policy.accumulate(full, weights(full, step), TestModels.keys(RandomKey.of(step), sequences));
                policy.update(1e-3);
            }
            assertThat(estimate.weights() + estimate.gradients())
                    .isEqualTo(policy.parameters().bytes());
            assertThat(estimate.moments()).isEqualTo(policy.parameters().bytes());
            assertThat(policy.core().arenaBytes())
                    .as("%s", estimate)
                    .isCloseTo(estimate.activations() + estimate.workspace(), Percentage.withPercentage(20));
        }
    }

    @Test
    void mistakesAreNamed() {
        assertThatThrownBy(() -> LoraConfig.defaults().withRank(0)).hasMessage("rank must be at least 1, got 0");
        assertThatThrownBy(() -> LoraConfig.defaults().withAlpha(0))
                .hasMessage("alpha must be positive and finite, got 0.0");
        assertThatThrownBy(() -> LoraConfig.defaults().withDropout(1))
                .hasMessage("dropout must lie in [0, 1), got 1.0");
        assertThatThrownBy(() -> LoraConfig.defaults().withTargets(Set.of()))
                .hasMessageContaining("targets must name at least one projection");
        assertThatThrownBy(() -> LoraConfig.defaults().withTargets(Set.of(LoraTarget.QUERY_KEY_VALUE, LoraTarget.KEY)))
                .hasMessageContaining("QUERY_KEY_VALUE and one of its parts");
        try (TransformerPolicy base = TestModels.inFloat(config, 1);
                TransformerPolicy policy = base.withLora(LoraConfig.defaults(), AdamWConfig.gpt3(), 2)) {
            assertThatThrownBy(() -> policy.withLora(LoraConfig.defaults(), AdamWConfig.gpt3(), 2))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("has adapters already")
                    .hasMessageContaining("merged()");
            assertThatThrownBy(() -> base.saveLora(root)).hasMessageContaining("no adapters");
            assertThatThrownBy(() -> base.withLora(
                            LoraConfig.defaults().withTargets(Set.of(LoraTarget.GATE)), AdamWConfig.gpt3(), 2))
                    .hasMessageContaining("GATE has no place")
                    .hasMessageContaining("UP and DOWN");
            assertThatThrownBy(() -> policy.saveLora(root))
                    .as("GPT-2's c_attn is one layer")
                    .hasMessageContaining("PEFT has no layer for QUERY in GPT2")
                    .hasMessageContaining("QUERY_KEY_VALUE");
            assertThatThrownBy(() -> base.parameters().frozen().gradients()).hasMessageContaining("frozen");
        }
    }
}
