package io.github.rlhf4j.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.TrainablePolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
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

    /**
     * A reference of other parameters that {@link #policy} can be compared with, for policies that have an exact KL ({@link
     * TrainablePolicy#forward(SequenceBatch, Policy)}); null, which it is unless overridden, for those that have none.
     */
    protected @Nullable Policy klReference() {
        return null;
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

    /** So that a trainer can tell before it begins. */
    @Test
    public void aPolicyWithoutAnExactKlSaysSo() {
        assumeTrue(klReference() == null, "the policy has an exact KL");
        TrainablePolicy policy = policy();
        Policy reference = policy();
        SequenceBatch batch = rollout();
        assertThrows(
                IllegalArgumentException.class,
                () -> policy.requireKlTo(reference),
                "requireKlTo must refuse where there is no exact KL (klReference() is null);");
        assertThrows(
                IllegalArgumentException.class,
                () -> policy.forward(batch, reference),
                "a pass with a reference must be refused where there is no exact KL (klReference() is null);");
    }

    @Test
    public void aPassWithAReferenceScoresAsOneWithout() {
        Policy reference = assumeReference();
        TrainablePolicy policy = policy();
        SequenceBatch batch = rollout();
        policy.requireKlTo(reference);
        try (ForwardPass pass = policy.forward(batch, reference)) {
            String rule = "forward with a reference must give score's %s";
            assertRows(policy.score(batch).logProbs(), pass.scores().logProbs(), rule.formatted("log-probabilities"));
            assertRows(policy.score(batch).entropies(), pass.scores().entropies(), rule.formatted("entropies"));
            batch.checkShape("the pass's kls", kls(pass));
        }
    }

    /** By enumeration: each token of the vocabulary is scored behind each prefix, by both. */
    @Test
    public void klsAreThoseOfTheWholeDistributions() {
        Policy reference = assumeReference();
        assumeTrue(vocabularySize() <= LARGE, "the vocabulary is too large to score every next token");
        TrainablePolicy policy = policy();
        SequenceBatch batch = rollout().select(0);
        ScoredSequence sequence = batch.sequences().get(0);
        double[] expected = new double[sequence.scoredCount()];
        for (int t = 0; t < expected.length; t++) {
            TokenSequence prefix = sequence.tokens().slice(0, sequence.position(t));
            SequenceBatch next = new SequenceBatch(
                    IntStream.range(0, vocabularySize())
                            .mapToObj(id -> ScoredSequence.of(prefix, TokenSequence.of(id)))
                            .toList(),
                    batch.temperature());
            double[][] logP = policy.score(next).logProbs();
            double[][] logQ = reference.score(next).logProbs();
            for (int id = 0; id < logP.length; id++) {
                expected[t] += Math.exp(logP[id][0]) * (logP[id][0] - logQ[id][0]);
            }
        }
        try (ForwardPass pass = policy.forward(batch, reference)) {
            for (int t = 0; t < expected.length; t++) {
                assertEquals(
                        expected[t],
                        kls(pass)[0][t],
                        10 * tolerance(),
                        "kls must be Σ π·(log π − log π_ref) over all next tokens, nats; token " + t);
            }
        }
    }

    @Test
    public void anUpdateDescendsTheKl() {
        Policy reference = assumeReference();
        for (double sign : new double[] {1, -1}) {
            TrainablePolicy policy = policy();
            SequenceBatch batch = rollout();
            double before;
            try (ForwardPass pass = policy.forward(batch, reference)) {
                before = sum(kls(pass));
                pass.backward(klGradients(policy, batch, sign));
            }
            policy.update(learningRate());
            try (ForwardPass pass = policy.forward(batch, reference)) {
                double moved = sum(kls(pass)) - before;
                assertTrue(
                        sign * moved < 0,
                        () -> "an update must lower the loss; with dLoss/dkl = " + sign
                                + " the sum of the KL to the reference went by " + moved);
            }
        }
    }

    @Test
    public void aGradientOfAKlThatThePassHasNotIsRefused() {
        assumeReference();
        TrainablePolicy policy = policy();
        SequenceBatch batch = rollout();
        try (ForwardPass pass = policy.forward(batch)) {
            TokenGradients gradients = klGradients(policy, batch, 1);
            assertThrows(
                    IllegalArgumentException.class,
                    () -> pass.backward(gradients),
                    "dKls must be refused by a pass without a reference;");
        }
    }

    final Policy assumeReference() {
        Policy reference = klReference();
        assumeTrue(reference != null, "the policy has no exact KL to a reference");
        return reference;
    }

    static double[][] kls(ForwardPass pass) {
        return requireKls(pass.scores().kls());
    }

    static double[][] requireKls(double @Nullable [] @Nullable [] kls) {
        assertNotNull(kls, "a pass with a reference must have kls");
        return kls;
    }

    /** Of a loss that is the sum of the KL times {@code dKl}. */
    static TokenGradients klGradients(TrainablePolicy policy, SequenceBatch batch, double dKl) {
        return new TokenGradients(
                gradients(policy, batch, 0).dLogProbs(),
                null,
                gradients(policy, batch, dKl).dLogProbs());
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
