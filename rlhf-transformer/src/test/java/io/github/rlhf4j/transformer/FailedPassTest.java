package io.github.rlhf4j.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rlhf4j.core.ActorCritic;
import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.model.Parameter;
import io.github.rlhf4j.transformer.model.ParameterStore;
import io.github.rlhf4j.transformer.model.Transformer;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

/** A pass that fails, wherever it does, leaves no trace: the model trains on to the bits of one that never failed. */
class FailedPassTest {

    private static final TransformerConfig CONFIG =
            TransformerConfig.gpt2(17, 24, 16, 2, 4).withDropout(0.1);
    private static final RandomKey KEY = RandomKey.of(7);

    private final FailingKernels failing = new FailingKernels();
    private final ModelCore core = new ModelCore(
            CONFIG,
            AdamWConfig.gpt3(),
            Transformer.declare(CONFIG)
                    .matrix(ScalarHead.NAME, 1, CONFIG.width())
                    .allocate(DataType.FLOAT),
            failing.kernels());
    private final TransformerPolicy policy = new TransformerPolicy(core, TestModels.ids(CONFIG.vocabularySize()));
    private final ScalarTransformer scalar = new ScalarTransformer(core);
    private final TransformerActorCritic both = new TransformerActorCritic(core, policy.tokenizer());

    private final SequenceBatch batch = batch(1, 9, 14);
    private final SequenceBatch other = batch(3, 6, 20);

    private static SequenceBatch batch(long seed, int... lengths) {
        return new SequenceBatch(Arrays.stream(lengths)
                .mapToObj(length -> ScoredSequence.ofText(TestModels.sequence(seed + length, length, 17)))
                .toList());
    }

    private static double[][] filled(SequenceBatch batch, double value) {
        return batch.sequences().stream()
                .map(sequence -> {
                    double[] row = new double[sequence.scoredCount()];
                    Arrays.fill(row, value);
                    return row;
                })
                .toArray(double[][]::new);
    }

    private void initialize() {
        for (Parameter parameter : core.store().parameters()) {
            RandomKey key = RandomKey.of(1).child(parameter.name());
            for (long i = 0; i < parameter.length(); i++) {
                core.store()
                        .values()
                        .putScalar(parameter.offset() + i, 0.3 * key.child(i).gaussian());
            }
        }
        core.store().clearGradients();
    }

    private void trainWith(SequenceBatch of) {
        policy.accumulate(of, filled(of, 0.05), TestModels.keys(KEY, of.size()));
    }

    private float[] gradients() {
        return core.store().gradients().dup().data().asFloat();
    }

    /** Lets {@code pass} fail at each of its calls in turn; each time the next pass must have the same bits. */
    private void failsEverywhere(Runnable pass) {
        initialize();
        trainWith(other);
        float[] expected = gradients();
        failing.failAt(0);
        pass.run();
        int calls = failing.calls();
        assertThat(calls).isGreaterThan(20);
        for (int call = 1; call <= calls; call++) {
            core.store().clearGradients();
            trainWith(batch); // an earlier micro-batch
            Object before = core.trainingArena().mark();
            failing.failAt(call);
            assertThatThrownBy(pass::run).isInstanceOf(FailingKernels.Failure.class);
            failing.failAt(0);
            assertThat(core.trainingArena().mark()).as("call %d", call).isEqualTo(before);
            trainWith(other);
            assertThat(gradients()).as("call %d", call).containsExactly(expected);
        }
    }

    @Test
    void maximumLikelihood() {
        failsEverywhere(() -> trainWith(batch));
    }

    @Test
    void policyPass() {
        failsEverywhere(() -> {
            try (ForwardPass pass = policy.forward(batch)) {
                pass.backward(new TokenGradients(filled(batch, 1), filled(batch, 0.1)));
            }
        });
    }

    @Test
    void scalarPass() {
        List<TokenSequence> sequences = List.of(TestModels.sequence(1, 5, 17), TestModels.sequence(2, 9, 17));
        failsEverywhere(() -> {
            try (ScalarTransformer.ScalarPass pass =
                    scalar.forward(sequences, List.of(new int[] {4}, new int[] {3, 8}))) {
                pass.backward(new double[][] {{0.7}, {-0.4, 1.1}});
            }
        });
    }

    @Test
    void jointPass() {
        failsEverywhere(() -> {
            try (ActorCritic.JointPass pass = both.forwardJointly(batch)) {
                pass.backward(new TokenGradients(filled(batch, 1)), filled(batch, -1));
            }
        });
    }

    @Test
    void aFailedPassDoesNotHurtTheOneAroundIt() {
        initialize();
        float[] expected = alone();
        core.store().clearGradients();
        SequenceBatch bad = new SequenceBatch(List.of(ScoredSequence.ofText(TokenSequence.of(1, 2, 17))));
        try (ForwardPass pass = policy.forward(batch)) {
            assertThatThrownBy(() -> policy.forward(bad)).hasMessageContaining("token 17");
            failing.failAt(9);
            assertThatThrownBy(() -> policy.forward(other)).isInstanceOf(FailingKernels.Failure.class);
            failing.failAt(0);
            pass.backward(new TokenGradients(filled(batch, 1)));
        }
        assertThat(gradients()).containsExactly(expected);
    }

    private float[] alone() {
        try (ForwardPass pass = policy.forward(batch)) {
            pass.backward(new TokenGradients(filled(batch, 1)));
        }
        return gradients();
    }

    @Test
    void wrongInputDiscardsTheMicroBatchesBeforeIt() {
        initialize();
        trainWith(other);
        float[] expected = gradients();
        SequenceBatch bad = new SequenceBatch(List.of(ScoredSequence.ofText(TokenSequence.of(1, 2, 17))));

        assertThatThrownBy(() -> trainWith(bad)).hasMessageContaining("token 17");
        assertThat(gradients()).containsOnly(0);
        trainWith(batch);
        assertThatThrownBy(() -> policy.accumulate(batch, new double[][] {{1}, {1}}, null))
                .hasMessageContaining("weights");
        trainWith(other);
        assertThat(gradients()).containsExactly(expected);
    }

    @Test
    void aGradientOfNaNIsRefusedAndForgotten() {
        initialize();
        ParameterStore store = core.store();
        float[] values = store.values().dup().data().asFloat();
        try (ForwardPass pass = policy.forward(batch)) {
            pass.backward(new TokenGradients(filled(batch, Double.NaN)));
        }
        assertThatThrownBy(() -> policy.update(1e-3)).isInstanceOf(DivergenceException.class);
        assertThat(store.values().dup().data().asFloat()).containsExactly(values);
        trainWith(other);
        float[] after = gradients();
        store.clearGradients();
        trainWith(other);
        assertThat(after).containsExactly(gradients());
    }

    @Test
    void closingTwiceGivesBackOnce() {
        initialize();
        Object empty = core.trainingArena().mark();
        ForwardPass first = policy.forward(batch);
        first.close();
        try (ForwardPass second = policy.forward(other)) {
            Object held = core.trainingArena().mark();
            first.close();
            assertThat(core.trainingArena().mark()).isEqualTo(held);
            assertThatThrownBy(() -> first.backward(new TokenGradients(filled(batch, 1))))
                    .isInstanceOf(IllegalStateException.class);
            second.backward(new TokenGradients(filled(other, 1)));
        }
        assertThat(core.trainingArena().mark()).isEqualTo(empty);
    }
}
