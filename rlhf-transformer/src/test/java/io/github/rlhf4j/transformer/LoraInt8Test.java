package io.github.rlhf4j.transformer;

import static io.github.rlhf4j.transformer.TransformerGradientTest.dot;
import static io.github.rlhf4j.transformer.TransformerGradientTest.weights;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.ActorCritic;
import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.kernels.WeightFormat;
import io.github.rlhf4j.transformer.model.LoraConfig;
import io.github.rlhf4j.transformer.model.LoraTarget;
import io.github.rlhf4j.transformer.model.Parameter;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import io.github.rlhf4j.transformer.tokenizer.CharacterTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Policies whose linear layers are int8, and adapters trained on them. */
class LoraInt8Test {

    @TempDir
    Path root;

    private final TransformerConfig config = TestModels.tiny();
    private final SequenceBatch batch = LoraCases.batch(1);

    /** With a tokenizer that can be saved. */
    private static TransformerPolicy savable(TransformerConfig config) {
        Tokenizer letters = CharacterTokenizer.fromTexts(List.of("abcdefgh"), "<|endoftext|>");
        return TransformerPolicy.create(config, letters, AdamWConfig.gpt3(), 5);
    }

    private TransformerPolicy rounded(long seed) {
        try (TransformerPolicy floats = TestModels.inFloat(config, seed)) {
            return floats.copy(WeightFormat.INT8);
        }
    }

    private void train(TransformerPolicy policy, int from, int to) {
        for (int step = from; step < to; step++) {
            policy.accumulate(batch, weights(batch, step), TestModels.keys(RandomKey.of(step), batch.size()));
            policy.update(1e-2);
        }
    }

    private static float[] values(TransformerPolicy policy) {
        return policy.parameters().values().dup().data().asFloat();
    }

    /** What is off follows from the gradients of the float model and how far each weight was moved, to first order. */
    @Test
    void logProbsAreOffByWhatRoundingExplains() {
        try (TransformerPolicy floats = TestModels.policy(config, 3);
                TransformerPolicy rounded = floats.copy(WeightFormat.INT8);
                TransformerPolicy roundedFloats = rounded.copy()) {
            INDArray moved =
                    roundedFloats.parameters().values().sub(floats.parameters().values());
            double size = 0;
            double unexplained = 0;
            for (int i = 0; i < 20; i++) {
                double[][] g = weights(batch, i);
                floats.discard();
                try (ForwardPass pass = floats.forward(batch)) {
                    pass.backward(new TokenGradients(g));
                }
                double expected =
                        moved.mul(floats.parameters().gradients()).sumNumber().doubleValue();
                double actual = dot(g, rounded.score(batch).logProbs())
                        - dot(g, floats.score(batch).logProbs());
                size += Math.abs(expected);
                unexplained += Math.abs(actual - expected);
            }
            assertThat(size / 20).isGreaterThan(1e-4);
            assertThat(unexplained).isLessThan(0.1 * size);
            assertThat(roundedFloats.score(batch).logProbs()[0])
                    .containsExactly(rounded.score(batch).logProbs()[0], within(1e-12));
        }
    }

    /** Counted in the store: a byte a weight of a linear layer, a float a column, floats for the rest; no gradients below. */
    @Test
    void theBaseTakesAByteAWeight() {
        TransformerConfig wide = TransformerConfig.llama(100, 32, 64, 2, 4);
        try (TransformerPolicy floats = TransformerPolicy.create(wide, TestModels.ids(100), AdamWConfig.gpt3(), 1);
                TransformerPolicy base = floats.copy(WeightFormat.INT8);
                TransformerPolicy policy = base.withLora(LoraConfig.defaults(), AdamWConfig.gpt3(), 2)) {
            train(policy, 0, 2);
            long columns = 0;
            long linear = 0;
            for (Parameter parameter : floats.parameters().parameters()) {
                if (base.parameters().int8(parameter.name()) != null) {
                    linear += parameter.length();
                    columns += parameter.shape()[1];
                }
            }
            assertThat(linear).isEqualTo(2L * 64 * (3 * 64 + 64 + 3L * wide.feedForwardWidth()));
            long rest = floats.parameters().count() - linear;
            assertThat(base.parameters().bytes())
                    .isEqualTo(linear + 4 * columns + 4 * rest)
                    .isEqualTo(MemoryEstimate.frozen(wide, WeightFormat.INT8).tensors());
            assertThat(policy.parameters().bytes())
                    .isEqualTo(2 * 4 * policy.parameters().count());
        }
    }

    /** Adapters of queries and values share a matrix, which is merged once; on bytes nothing is merged. */
    @Test
    void samplingTakesWhatWasForetold() {
        LoraConfig lora =
                LoraConfig.defaults().withTargets(Set.of(LoraTarget.QUERY, LoraTarget.VALUE, LoraTarget.DOWN));
        MemoryEstimate plain = MemoryEstimate.generation(config, 3, 10);
        MemoryEstimate merged = MemoryEstimate.generation(config, lora, WeightFormat.FLOAT32, 3, 10);
        assertThat(merged.weights()).isEqualTo(4 * 2 * (8 * 24 + 12 * 8));
        assertThat(merged.tensors() - merged.weights()).isEqualTo(plain.tensors());
        MemoryEstimate bytes = MemoryEstimate.generation(config, lora, WeightFormat.INT8, 3, 10);
        assertThat(bytes.weights()).isZero();
        long linear = 2 * (8 * 24 + 8 * 8 + 2 * 8 * 12);
        assertThat(plain.decodingWeights()).isEqualTo(4 * (linear + 13 * 8));
        assertThat(bytes.decodingWeights()).isEqualTo(linear + 4 * (2 * (24 + 8 + 12 + 8) + 13 * 8));
    }

    @Test
    void trainingLearnsAndLeavesTheBaseAsItIs() {
        try (TransformerPolicy base = rounded(1);
                TransformerPolicy policy = base.withLora(LoraCases.ALL.withDropout(0.1), AdamWConfig.gpt3(), 2)) {
            double[][] reference = base.score(batch).logProbs();
            assertThat(policy.score(batch).logProbs()).isDeepEqualTo(reference);
            train(policy, 0, 3);
            assertThat(policy.score(batch).logProbs()).isNotEqualTo(reference);
            assertThat(base.score(batch).logProbs()).isDeepEqualTo(reference);
            try (TransformerPolicy merged = policy.merged()) {
                assertThat(merged.parameters().hasInt8()).isFalse();
                assertThat(merged.score(batch).logProbs()[0])
                        .containsExactly(policy.score(batch).logProbs()[0], within(1e-4));
            }
            try (TransformerPolicy again = policy.copy(WeightFormat.INT8)) {
                assertThat(again.parameters().hasInt8()).isTrue();
            }
        }
    }

    @Test
    void aRestoredRunGoesOnToTheSameBits() throws IOException {
        LoraConfig lora = LoraCases.ALL.withDropout(0.1);
        Path state = Files.createDirectory(root.resolve("state"));
        try (TransformerPolicy base = rounded(1);
                TransformerPolicy again = rounded(1);
                TransformerPolicy whole = base.withLora(lora, AdamWConfig.gpt3(), 2);
                TransformerPolicy resumed = again.withLora(lora, AdamWConfig.gpt3(), 77)) {
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

    /** Rounded as they are read, of a model whose file has a tensor for queries, keys and values each. */
    @Test
    void aLoadedModelIsTheRoundedCopy() throws IOException {
        TransformerConfig llama = TransformerConfig.llama(13, 12, 8, 2, 2);
        Path files = root.resolve("model");
        try (TransformerPolicy floats = savable(llama)) {
            floats.save(files);
        }
        LoraConfig lora = LoraConfig.defaults().withTargets(Set.of(LoraTarget.QUERY, LoraTarget.DOWN));
        try (TransformerPolicy floats = TransformerPolicy.load(files, AdamWConfig.gpt3());
                TransformerPolicy copy = floats.copy(WeightFormat.INT8);
                TransformerPolicy loaded = TransformerPolicy.load(files, AdamWConfig.gpt3(), WeightFormat.INT8);
                TransformerPolicy policy = loaded.withLora(lora, AdamWConfig.gpt3(), 2)) {
            assertThat(loaded.score(batch).logProbs())
                    .isDeepEqualTo(copy.score(batch).logProbs());
            train(policy, 0, 2);
            policy.saveLora(root.resolve("adapters"));
            loaded.save(root.resolve("rounded"));
            try (TransformerPolicy read = loaded.loadLora(root.resolve("adapters"), AdamWConfig.gpt3());
                    TransformerPolicy saved =
                            TransformerPolicy.load(root.resolve("rounded"), AdamWConfig.gpt3(), WeightFormat.INT8)) {
                assertThat(read.score(batch).logProbs())
                        .isDeepEqualTo(policy.score(batch).logProbs());
                assertThat(saved.score(batch).logProbs()[0])
                        .containsExactly(loaded.score(batch).logProbs()[0], within(1e-5));
            }
        }
    }

    @Test
    void aDamagedWeightIsNamed() throws IOException {
        Path files = root.resolve("model");
        try (TransformerPolicy floats = savable(config)) {
            floats.parameters().get("transformer.h.1.mlp.c_fc.weight").value().putScalar(3, Float.NaN);
            floats.save(files);
        }
        assertThatThrownBy(() -> TransformerPolicy.load(files, AdamWConfig.gpt3(), WeightFormat.INT8))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("tensor transformer.h.1.mlp.c_fc.weight cannot be held as int8")
                .hasMessageContaining("NaN");
    }

    @Test
    void policyAndValueOnSharedMemory() {
        try (TransformerPolicy floats = TestModels.policy(config, 5);
                TransformerPolicy base = floats.copy(WeightFormat.INT8);
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
        }
    }

    @Test
    void theBaseItselfIsNotTrained() {
        try (TransformerPolicy base = rounded(1)) {
            assertThatThrownBy(() -> base.forward(batch))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("int8 weights are frozen")
                    .hasMessageContaining("withLora");
            assertThatThrownBy(() -> base.update(1)).hasMessageContaining("int8 weights are frozen");
            assertThatThrownBy(() -> base.saveState(root)).hasMessageContaining("int8 weights are frozen");
        }
    }
}
