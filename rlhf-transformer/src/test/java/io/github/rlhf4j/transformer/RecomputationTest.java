package io.github.rlhf4j.transformer;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.core.ActorCritic;
import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.model.ParameterStore;
import io.github.rlhf4j.transformer.model.Recomputation;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;

/** What is computed again has the bits of what was not kept. */
class RecomputationTest {

    private static final int VOCABULARY = 29;
    private static final RandomKey KEY = RandomKey.of(11);

    private static TransformerPolicy policy(DataType type, double dropout, Recomputation recomputation) {
        TransformerConfig config =
                TransformerConfig.gpt2(VOCABULARY, 40, 24, 3, 3).withDropout(dropout);
        TransformerPolicy policy =
                TransformerPolicy.create(config, TestModels.ids(VOCABULARY), AdamWConfig.gpt3(), 1, type);
        policy.setRecomputation(recomputation);
        return policy;
    }

    private static SequenceBatch batch(int... lengths) {
        return new SequenceBatch(Arrays.stream(lengths)
                .mapToObj(length -> ScoredSequence.ofText(TestModels.sequence(length, length, VOCABULARY)))
                .toList());
    }

    /** Of each sequence but the first tokens are scored, so that the last block keeps fewer rows than the others. */
    private static SequenceBatch prompted(int... lengths) {
        return new SequenceBatch(Arrays.stream(lengths)
                .mapToObj(length -> ScoredSequence.of(
                        TestModels.sequence(length, length / 2, VOCABULARY),
                        TestModels.sequence(length, length - length / 2, VOCABULARY)))
                .toList());
    }

    private static double[][] weights(SequenceBatch batch, long seed) {
        double[][] weights = new double[batch.size()][];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = new double[batch.sequences().get(i).scoredCount()];
            RandomKey key = RandomKey.of(seed).child(i);
            Arrays.setAll(weights[i], t -> key.child(t).gaussian());
        }
        return weights;
    }

    private static double[] gradients(ParameterStore store) {
        return store.gradients().dup().data().asDouble();
    }

    @ParameterizedTest
    @CsvSource({"FLOAT, 0", "FLOAT, 0.2", "DOUBLE, 0", "DOUBLE, 0.2"})
    void aTrainingStepHasTheSameBits(DataType type, double dropout) {
        double[][] after = new double[2][];
        for (Recomputation recomputation : Recomputation.values()) {
            try (TransformerPolicy policy = policy(type, dropout, recomputation)) {
                for (int step = 0; step < 3; step++) {
                    SequenceBatch batch = step == 1 ? prompted(40, 3, 17) : batch(40 - step, 3, 17, 2 + step, 33);
                    policy.accumulate(batch, weights(batch, step), TestModels.keys(KEY.child(step), batch.size()));
                    policy.update(1e-2);
                }
                after[recomputation.ordinal()] =
                        policy.parameters().values().dup().data().asDouble();
            }
        }
        assertThat(after[1]).containsExactly(after[0]);
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT", "DOUBLE"})
    void policyPassesThatOverlapHaveTheSameBits(DataType type) {
        SequenceBatch first = batch(12, 30, 7);
        SequenceBatch second = batch(25, 4);
        double[][] gradients = new double[2][];
        for (Recomputation recomputation : Recomputation.values()) {
            try (TransformerPolicy original = policy(type, 0, recomputation);
                    TransformerPolicy policy = original.copy()) {
                assertThat(policy.recomputation()).isEqualTo(recomputation);
                try (ForwardPass outer = policy.forward(first);
                        ForwardPass inner = policy.forward(second)) {
                    inner.backward(new TokenGradients(weights(second, 1), weights(second, 2)));
                    outer.backward(new TokenGradients(weights(first, 3)));
                }
                gradients[recomputation.ordinal()] = gradients(policy.parameters());
            }
        }
        assertThat(gradients[1]).containsExactly(gradients[0]);
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT", "DOUBLE"})
    void scalarAndJointPassesHaveTheSameBits(DataType type) {
        SequenceBatch batch = batch(12, 30, 7);
        List<TokenSequence> sequences =
                batch.sequences().stream().map(ScoredSequence::tokens).toList();
        List<int[]> positions = List.of(new int[] {11}, new int[] {3, 29}, new int[] {6});
        double[][] scalar = new double[2][];
        double[][] joint = new double[2][];
        for (Recomputation recomputation : Recomputation.values()) {
            try (TransformerPolicy policy = policy(type, 0, recomputation);
                    ScalarTransformer model = ScalarTransformer.of(policy, AdamWConfig.gpt3(), 2);
                    TransformerActorCritic both = TransformerActorCritic.of(policy, AdamWConfig.gpt3(), 2)) {
                try (ScalarTransformer.ScalarPass pass = model.forward(sequences, positions)) {
                    pass.backward(new double[][] {{1}, {-0.5, 2}, {0.3}});
                }
                try (ActorCritic.JointPass pass = both.forwardJointly(batch)) {
                    pass.backward(new TokenGradients(weights(batch, 4)), weights(batch, 5));
                }
                scalar[recomputation.ordinal()] = gradients(model.parameters());
                joint[recomputation.ordinal()] = gradients(both.parameters());
            }
        }
        assertThat(scalar[1]).containsExactly(scalar[0]);
        assertThat(joint[1]).containsExactly(joint[0]);
    }
}
