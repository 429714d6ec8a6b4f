package io.github.rlhf4j.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.ActorCritic;
import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.testkit.GradientCheck;
import io.github.rlhf4j.transformer.model.Parameter;
import io.github.rlhf4j.transformer.model.ParameterStore;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import io.github.rlhf4j.transformer.training.TokenLearner;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Every parameter's gradient is the slope that central differences in double see. */
class TransformerGradientTest {

    /** At 1e-5 in double the error of a difference is about 1e-10 by truncation and 1e-11/1e-5 by rounding. */
    private static final GradientCheck CHECK =
            GradientCheck.STANDARD.withStep(1e-5).withTolerance(1e-6, 1e-6);

    private final TransformerConfig config = TestModels.tiny();

    private SequenceBatch batch(double temperature) {
        int v = config.vocabularySize();
        return new SequenceBatch(
                List.of(
                        ScoredSequence.of(TestModels.sequence(1, 3, v), TestModels.sequence(2, 4, v)),
                        ScoredSequence.ofText(TestModels.sequence(3, 12, v)),
                        ScoredSequence.of(TestModels.sequence(4, 6, v), new int[] {2, 5}),
                        ScoredSequence.ofText(TestModels.sequence(5, 2, v))),
                temperature);
    }

    @Test
    void logProbsAndEntropiesTogether() {
        TransformerPolicy policy = TestModels.policy(config, 1);
        SequenceBatch batch = batch(0.7);
        double[][] g = weights(batch, 7);
        double[][] h = weights(batch, 8);
        try (ForwardPass pass = policy.forward(batch)) {
            pass.backward(new TokenGradients(g, h));
        }
        check(policy.parameters(), () -> {
            TokenScores scores = policy.score(batch);
            return dot(g, scores.logProbs()) + dot(h, scores.entropies());
        });
    }

    @Test
    void maximumLikelihoodInOnePass() {
        TransformerPolicy policy = TestModels.policy(config, 2);
        SequenceBatch batch = batch(1);
        double[][] w = weights(batch, 9);
        double[][] logProbs = policy.accumulate(batch, w, null);
        assertThat(logProbs[1]).containsExactly(policy.score(batch).logProbs()[1], within(1e-12));
        check(policy.parameters(), () -> -dot(w, policy.score(batch).logProbs()));
    }

    /** Beside the log-probs, log² Z of each token (Chowdhery et al. 2022 §5). */
    @Test
    void zLoss() {
        TransformerPolicy policy = TestModels.policy(config, 3);
        SequenceBatch batch = batch(0.7);
        double[][] w = weights(batch, 9);
        double[][] none = weights(batch, 9);
        for (double[] row : none) {
            java.util.Arrays.fill(row, 0);
        }
        double coefficient = 0.3;
        TokenLearner.Accumulated seen = policy.accumulate(batch, w, coefficient, null);
        assertThat(seen.logProbs()[1]).containsExactly(policy.score(batch).logProbs()[1], within(1e-12));
        double[] analytic = policy.parameters().gradients().dup().data().asDouble();
        check(policy.parameters(), analytic, () -> {
            double[][] logZ = policy.accumulate(batch, none, 0, null).logNormalizers();
            double loss = -dot(w, policy.score(batch).logProbs());
            for (int i = 0; i < w.length; i++) {
                for (int t = 0; t < w[i].length; t++) {
                    loss += coefficient * w[i][t] * logZ[i][t] * logZ[i][t];
                }
            }
            return loss;
        });
    }

    @Test
    void withDropoutTheGradientIsThatOfTheThinnedNetwork() {
        TransformerConfig dropping = config.withDropout(0.3);
        TransformerPolicy policy = TestModels.policy(dropping, 3);
        SequenceBatch batch = batch(1);
        RandomKey key = RandomKey.of(5);
        List<RandomKey> keys =
                IntStream.range(0, batch.size()).mapToObj(key::child).toList();
        double[][] w = weights(batch, 10);
        policy.accumulate(batch, w, keys);
        double[] analytic = policy.parameters().gradients().dup().data().asDouble();
        check(policy.parameters(), analytic, () -> {
            return -dot(w, policy.accumulate(batch, w, keys));
        });
    }

    @Test
    void scalarHead() {
        TransformerPolicy trunk = TestModels.policy(config, 4);
        ScalarTransformer model = ScalarTransformer.of(trunk, AdamWConfig.gpt3(), 6);
        List<TokenSequence> sequences = List.of(TestModels.sequence(1, 5, 13), TestModels.sequence(2, 9, 13));
        List<int[]> positions = List.of(new int[] {4}, new int[] {0, 3, 8});
        double[][] d = {{0.7}, {-0.4, 1.1, 0.3}};
        try (ScalarTransformer.ScalarPass pass = model.forward(sequences, positions)) {
            pass.backward(d);
        }
        check(model.parameters(), () -> dot(d, model.score(sequences, positions)));
    }

    @Test
    void policyAndValueOnOneTrunk() {
        TransformerActorCritic both = TransformerActorCritic.of(TestModels.policy(config, 5), AdamWConfig.gpt3(), 6);
        SequenceBatch batch = batch(1.3);
        double[][] g = weights(batch, 11);
        double[][] v = weights(batch, 12);
        try (ActorCritic.JointPass pass = both.forwardJointly(batch)) {
            pass.backward(new TokenGradients(g), v);
        }
        check(both.parameters(), () -> dot(g, both.score(batch).logProbs()) + dot(v, both.values(batch)));
    }

    static void check(ParameterStore store, DoubleSupplier loss) {
        check(store, store.gradients().dup().data().asDouble(), loss);
    }

    static void check(ParameterStore store, double[] analytic, DoubleSupplier loss) {
        for (Parameter parameter : store.parameters()) {
            Elements elements = Elements.of(store, parameter);
            double[] gradient = new double[elements.count()];
            Arrays.setAll(gradient, index -> analytic[(int) elements.offset(index)]);
            CHECK.check("loss", elements, loss, gradient);
        }
    }

    /** All of a vector, every eleventh element of a matrix: prime to the widths here, so each row and column is met. */
    private record Elements(ParameterStore store, Parameter parameter, long stride)
            implements GradientCheck.Coordinates {

        static Elements of(ParameterStore store, Parameter parameter) {
            return new Elements(store, parameter, parameter.length() > 60 ? 11 : 1);
        }

        @Override
        public int count() {
            return (int) ((parameter.length() + stride - 1) / stride);
        }

        long offset(int index) {
            return parameter.offset() + index * stride;
        }

        @Override
        public String name(int index) {
            return parameter.name() + "[" + index * stride + "]";
        }

        @Override
        public double get(int index) {
            return store.values().getDouble(offset(index));
        }

        @Override
        public void set(int index, double value) {
            store.values().putScalar(offset(index), value);
        }
    }

    static double[][] weights(SequenceBatch batch, long seed) {
        RandomKey key = RandomKey.of(seed);
        double[][] weights = new double[batch.size()][];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = new double[batch.sequences().get(i).scoredCount()];
            for (int t = 0; t < weights[i].length; t++) {
                weights[i][t] = key.child(i).child(t).gaussian();
            }
        }
        return weights;
    }

    static double dot(double[][] a, double[][] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            for (int t = 0; t < a[i].length; t++) {
                sum += a[i][t] * b[i][t];
            }
        }
        return sum;
    }
}
