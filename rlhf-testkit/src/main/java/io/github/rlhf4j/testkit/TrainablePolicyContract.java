package io.github.rlhf4j.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TrainablePolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@link TrainablePolicy} promises, as tests, those of {@link PolicyContract} included. */
public abstract class TrainablePolicyContract extends PolicyContract {

    /** Where states are saved; JUnit makes and deletes it. */
    @TempDir
    protected Path directory;

    /** A new policy at each call, always of the same parameters. */
    @Override
    protected abstract TrainablePolicy policy();

    /** A rate at which one update changes the policy by more than rounding and less than it overshoots. */
    protected double learningRate() {
        return 1e-3;
    }

    @Test
    public void aForwardPassScoresAsScoreDoes() {
        TrainablePolicy policy = policy();
        SequenceBatch batch = rollout();
        try (ForwardPass pass = policy.forward(batch)) {
            assertRows(
                    policy.score(batch).logProbs(),
                    pass.scores().logProbs(),
                    "forward must give score's log-probabilities");
            assertRows(
                    policy.score(batch).entropies(), pass.scores().entropies(), "forward must give score's entropies");
        }
    }

    @Test
    public void anUpdateDescendsTheLoss() {
        for (double sign : new double[] {1, -1}) {
            TrainablePolicy policy = policy();
            SequenceBatch batch = rollout();
            double before = sum(policy.score(batch).logProbs());
            backward(policy, batch, sign);
            policy.update(learningRate());
            double moved = sum(policy.score(batch).logProbs()) - before;
            assertTrue(
                    sign * moved < 0,
                    () -> "an update must lower the loss; with dLoss/dlogProb = " + sign
                            + " the sum of the log-probabilities went by " + moved);
        }
    }

    @Test
    public void backwardAloneMovesNothing() {
        TrainablePolicy policy = policy();
        SequenceBatch batch = rollout();
        double[][] before = policy.score(batch).logProbs();
        backward(policy, batch, 1);
        assertRows(before, policy.score(batch).logProbs(), "nothing may move before update");
    }

    @Test
    public void atRateZeroNoParameterMoves() {
        TrainablePolicy policy = policy();
        SequenceBatch batch = rollout();
        double[][] before = policy.score(batch).logProbs();
        backward(policy, batch, 1);
        policy.update(0);
        assertRows(before, policy.score(batch).logProbs(), "update(0) must move no parameter");
    }

    @Test
    public void microBatchesAddUp() {
        SequenceBatch batch = rollout();
        TrainablePolicy whole = policy();
        backward(whole, batch, -1);
        whole.update(learningRate());
        TrainablePolicy parts = policy();
        for (int i = 0; i < batch.size(); i++) {
            backward(parts, batch.select(i), -1);
        }
        parts.update(learningRate());
        assertRows(
                whole.score(batch).logProbs(),
                parts.score(batch).logProbs(),
                "the gradients of several backward passes must add up to that of one pass over all");
    }

    @Test
    public void aPassGoesBackwardOnceWhileItIsOpen() {
        TrainablePolicy policy = policy();
        SequenceBatch batch = rollout();
        TokenGradients gradients = gradients(policy, batch, 1);
        ForwardPass pass = policy.forward(batch);
        pass.backward(gradients);
        assertThrows(IllegalStateException.class, () -> pass.backward(gradients), "a second backward must be refused;");
        pass.close();
        ForwardPass closed = policy.forward(batch);
        closed.close();
        assertThrows(
                IllegalStateException.class, () -> closed.backward(gradients), "backward after close must be refused;");
    }

    @Test
    public void gradientsOfAnotherShapeAreRefused() {
        TrainablePolicy policy = policy();
        SequenceBatch batch = rollout();
        try (ForwardPass pass = policy.forward(batch)) {
            TokenGradients tooFew = new TokenGradients(new double[batch.size() - 1][1]);
            assertThrows(
                    IllegalArgumentException.class,
                    () -> pass.backward(tooFew),
                    "gradients with fewer rows than the batch must be refused;");
        }
    }

    @Test
    public void aGradientThatIsNotFiniteIsRefusedAndMovesNothing() {
        TrainablePolicy policy = policy();
        SequenceBatch batch = rollout();
        double[][] before = policy.score(batch).logProbs();
        backward(policy, batch, Double.NaN);
        assertThrows(
                DivergenceException.class,
                () -> policy.update(learningRate()),
                "update must refuse a gradient that is not finite;");
        assertRows(before, policy.score(batch).logProbs(), "a refused update must leave the parameters as they were");
    }

    /** To the same bits, the optimiser's moments included. */
    @Test
    public void aRestoredPolicyGoesOnAsTheSavedOne() throws IOException {
        SequenceBatch batch = rollout();
        TrainablePolicy saved = policy();
        train(saved, batch, -1);
        Path state = Files.createDirectory(directory.resolve("state"));
        saved.saveState(state);
        TrainablePolicy restored = policy();
        restored.restoreState(state);
        for (int step = 0; step < 2; step++) {
            double[][] expected = saved.score(batch).logProbs();
            double[][] actual = restored.score(batch).logProbs();
            for (int i = 0; i < expected.length; i++) {
                assertArrayEquals(
                        expected[i],
                        actual[i],
                        "a restored policy must score and train to the same bits as the saved one; after " + step
                                + " further updates, sequence " + i + ":");
            }
            train(saved, batch, 1);
            train(restored, batch, 1);
        }
    }

    @Test
    public void aMissingStateIsRefusedAndChangesNothing() throws IOException {
        TrainablePolicy policy = policy();
        SequenceBatch batch = rollout();
        double[][] before = policy.score(batch).logProbs();
        Path empty = Files.createDirectory(directory.resolve("empty"));
        assertThrows(
                IOException.class, () -> policy.restoreState(empty), "restoreState of an empty directory must throw;");
        assertRows(before, policy.score(batch).logProbs(), "a failed restoreState must leave the state unchanged");
    }

    final SequenceBatch rollout() {
        List<Completion> completions = policy().complete(prompts(), sampling(), 11);
        return batch(completions);
    }

    private void train(TrainablePolicy policy, SequenceBatch batch, double dLogProb) {
        backward(policy, batch, dLogProb);
        policy.update(learningRate());
    }

    static void backward(TrainablePolicy policy, SequenceBatch batch, double dLogProb) {
        try (ForwardPass pass = policy.forward(batch)) {
            pass.backward(gradients(policy, batch, dLogProb));
        }
    }

    static TokenGradients gradients(TrainablePolicy policy, SequenceBatch batch, double dLogProb) {
        double[][] rows = policy.score(batch).logProbs();
        for (double[] row : rows) {
            Arrays.fill(row, dLogProb);
        }
        return new TokenGradients(rows);
    }

    static double sum(double[][] rows) {
        return Arrays.stream(rows).flatMapToDouble(Arrays::stream).sum();
    }

    final void assertRows(double[][] expected, double[][] actual, String rule) {
        for (int i = 0; i < expected.length; i++) {
            assertClose(expected[i], actual[i], rule + ", sequence " + i);
        }
    }
}
