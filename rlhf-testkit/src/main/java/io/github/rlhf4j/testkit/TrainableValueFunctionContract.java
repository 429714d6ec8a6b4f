package io.github.rlhf4j.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TrainableValueFunction;
import io.github.rlhf4j.core.ValuePass;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@link TrainableValueFunction} promises, as tests, those of {@link ValueFunctionContract} included. */
public abstract class TrainableValueFunctionContract extends ValueFunctionContract {

    /** Where states are saved; JUnit makes and deletes it. */
    @TempDir
    protected Path directory;

    /** A new value function at each call, always of the same parameters. */
    @Override
    protected abstract TrainableValueFunction valueFunction();

    /** A rate at which one update changes the values by more than rounding and less than it overshoots. */
    protected double learningRate() {
        return 1e-3;
    }

    @Test
    public void aForwardPassGivesTheValues() {
        TrainableValueFunction function = valueFunction();
        try (ValuePass pass = function.forward(batch())) {
            assertRows(function.values(batch()), pass.values(), "forward must give what values gives");
        }
    }

    @Test
    public void anUpdateDescendsTheLoss() {
        for (double sign : new double[] {1, -1}) {
            TrainableValueFunction function = valueFunction();
            double before = TrainablePolicyContract.sum(function.values(batch()));
            train(function, sign);
            double moved = TrainablePolicyContract.sum(function.values(batch())) - before;
            assertTrue(
                    sign * moved < 0,
                    () -> "an update must lower the loss; with dLoss/dvalue = " + sign
                            + " the sum of the values went by " + moved);
        }
    }

    @Test
    public void backwardAloneMovesNothing() {
        TrainableValueFunction function = valueFunction();
        double[][] before = function.values(batch());
        backward(function, batch(), 1);
        assertRows(before, function.values(batch()), "nothing may move before update");
    }

    @Test
    public void atRateZeroNoParameterMoves() {
        TrainableValueFunction function = valueFunction();
        double[][] before = function.values(batch());
        backward(function, batch(), 1);
        function.update(0);
        assertRows(before, function.values(batch()), "update(0) must move no parameter");
    }

    @Test
    public void microBatchesAddUp() {
        TrainableValueFunction whole = valueFunction();
        train(whole, -1);
        TrainableValueFunction parts = valueFunction();
        for (int i = 0; i < batch().size(); i++) {
            backward(parts, batch().select(i), -1);
        }
        parts.update(learningRate());
        assertRows(
                whole.values(batch()),
                parts.values(batch()),
                "the gradients of several backward passes must add up to that of one pass over all");
    }

    @Test
    public void aPassGoesBackwardOnceWhileItIsOpen() {
        TrainableValueFunction function = valueFunction();
        double[][] gradients = gradients(function, batch(), 1);
        ValuePass pass = function.forward(batch());
        pass.backward(gradients);
        assertThrows(IllegalStateException.class, () -> pass.backward(gradients), "a second backward must be refused;");
        pass.close();
        ValuePass closed = function.forward(batch());
        closed.close();
        assertThrows(
                IllegalStateException.class, () -> closed.backward(gradients), "backward after close must be refused;");
    }

    @Test
    public void gradientsOfAnotherShapeAreRefused() {
        try (ValuePass pass = valueFunction().forward(batch())) {
            double[][] tooFew = new double[batch().size() - 1][1];
            assertThrows(
                    IllegalArgumentException.class,
                    () -> pass.backward(tooFew),
                    "gradients with fewer rows than the batch must be refused;");
        }
    }

    @Test
    public void aGradientThatIsNotFiniteIsRefusedAndMovesNothing() {
        TrainableValueFunction function = valueFunction();
        double[][] before = function.values(batch());
        backward(function, batch(), Double.NaN);
        assertThrows(
                DivergenceException.class,
                () -> function.update(learningRate()),
                "update must refuse a gradient that is not finite;");
        assertRows(before, function.values(batch()), "a refused update must leave the parameters as they were");
    }

    /** To the same bits, the optimiser's moments included. */
    @Test
    public void aRestoredValueFunctionGoesOnAsTheSavedOne() throws IOException {
        TrainableValueFunction saved = valueFunction();
        train(saved, -1);
        Path state = Files.createDirectory(directory.resolve("state"));
        saved.saveState(state);
        TrainableValueFunction restored = valueFunction();
        restored.restoreState(state);
        for (int step = 0; step < 2; step++) {
            assertArrayEquals(
                    saved.values(batch()),
                    restored.values(batch()),
                    "a restored value function must give and train to the same bits as the saved one; after " + step
                            + " further updates:");
            train(saved, 1);
            train(restored, 1);
        }
    }

    @Test
    public void aMissingStateIsRefusedAndChangesNothing() throws IOException {
        TrainableValueFunction function = valueFunction();
        double[][] before = function.values(batch());
        Path empty = Files.createDirectory(directory.resolve("empty"));
        assertThrows(
                IOException.class,
                () -> function.restoreState(empty),
                "restoreState of an empty directory must throw;");
        assertRows(before, function.values(batch()), "a failed restoreState must leave the state unchanged");
    }

    private void train(TrainableValueFunction function, double dValue) {
        backward(function, batch(), dValue);
        function.update(learningRate());
    }

    private static void backward(TrainableValueFunction function, SequenceBatch batch, double dValue) {
        try (ValuePass pass = function.forward(batch)) {
            pass.backward(gradients(function, batch, dValue));
        }
    }

    private static double[][] gradients(TrainableValueFunction function, SequenceBatch batch, double dValue) {
        double[][] rows = function.values(batch);
        for (double[] row : rows) {
            Arrays.fill(row, dValue);
        }
        return rows;
    }
}
