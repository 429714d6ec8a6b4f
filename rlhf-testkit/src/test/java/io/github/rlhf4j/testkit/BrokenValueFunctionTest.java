package io.github.rlhf4j.testkit;

import static io.github.rlhf4j.testkit.Broken.assertFails;

import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TrainableValueFunction;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.core.ValueFunction;
import io.github.rlhf4j.core.ValuePass;
import io.github.rlhf4j.ppo.math.Ragged;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each test of the value functions' contracts fails on one that breaks its promise, and says which. */
class BrokenValueFunctionTest {

    @TempDir
    Path directory;

    private int directories;

    private static ValueFunctionContract values(ValueFunction function) {
        return new ValueFunctionContract() {
            @Override
            protected ValueFunction valueFunction() {
                return function;
            }
        };
    }

    /** The number of tokens before each scored one. */
    private static double[][] positions(SequenceBatch batch) {
        return batch.sequences().stream()
                .map(sequence -> {
                    double[] row = new double[sequence.scoredCount()];
                    Arrays.setAll(row, sequence::position);
                    return row;
                })
                .toArray(double[][]::new);
    }

    @Test
    void theValueFunctionThatIsBrokenBelowIsWhole() {
        ValueFunctionContract whole = values(BrokenValueFunctionTest::positions);
        whole.thereIsOneFiniteValuePerScoredToken();
        whole.batchMatesDoNotChangeAValue();
        whole.aValueKnowsNothingOfItsTokenNorOfThoseAfterIt();
    }

    @Test
    void valueFunctions() {
        assertFails(
                values(batch -> new double[batch.size()][1]),
                ValueFunctionContract::thereIsOneFiniteValuePerScoredToken,
                "one value per scored token");
        assertFails(
                values(batch -> new double[1][3]),
                ValueFunctionContract::thereIsOneFiniteValuePerScoredToken,
                "one row per sequence");
        assertFails(
                values(batch -> Ragged.map(positions(batch), x -> 1 / (x - 1))),
                ValueFunctionContract::thereIsOneFiniteValuePerScoredToken,
                "must be finite");
        assertFails(
                values(batch -> Ragged.map(positions(batch), x -> x / batch.size())),
                ValueFunctionContract::batchMatesDoNotChangeAValue,
                "same values alone as in a batch");
        assertFails(
                values(batch -> {
                    double[][] rows = positions(batch);
                    for (int i = 0; i < rows.length; i++) {
                        int last = batch.sequences().get(i).length() - 1;
                        rows[i][rows[i].length - 1] +=
                                batch.sequences().get(i).tokens().get(last);
                    }
                    return rows;
                }),
                ValueFunctionContract::aValueKnowsNothingOfItsTokenNorOfThoseAfterIt,
                "tokens before its own alone");
    }

    /** A sound value function to break one method of. */
    private static class Tabular implements TrainableValueFunction {

        private final TabularValueFunction sound = PpoFixture.values();

        @Override
        public double[][] values(SequenceBatch batch) {
            return sound.values(batch);
        }

        @Override
        public ValuePass forward(SequenceBatch batch) {
            return sound.forward(batch);
        }

        @Override
        public UpdateReport update(double learningRate) {
            return sound.update(learningRate);
        }

        @Override
        public void saveState(Path to) throws IOException {
            sound.saveState(to);
        }

        @Override
        public void restoreState(Path from) throws IOException {
            sound.restoreState(from);
        }

        /** A pass that hands its gradient to {@code change} on its way. */
        ValuePass changed(SequenceBatch batch, BiConsumer<ValuePass, double[][]> change) {
            ValuePass pass = sound.forward(batch);
            return new ValuePass() {
                @Override
                public double[][] values() {
                    return pass.values();
                }

                @Override
                public void backward(double[][] dValues) {
                    change.accept(pass, dValues);
                }

                @Override
                public void close() {
                    pass.close();
                }
            };
        }
    }

    private TrainableValueFunctionContract trainable(Supplier<TrainableValueFunction> functions) throws IOException {
        TrainableValueFunctionContract contract = new TrainableValueFunctionContract() {
            @Override
            protected TrainableValueFunction valueFunction() {
                return functions.get();
            }
        };
        contract.directory = Files.createDirectory(directory.resolve("test" + directories++));
        return contract;
    }

    @Test
    void passesAndUpdates() throws IOException {
        assertFails(
                trainable(() -> new Tabular() {
                    @Override
                    public double[][] values(SequenceBatch batch) {
                        return Ragged.map(super.values(batch), v -> v + 1);
                    }
                }),
                TrainableValueFunctionContract::aForwardPassGivesTheValues,
                "forward must give");
        assertFails(
                trainable(() -> new Tabular() {
                    @Override
                    public UpdateReport update(double learningRate) {
                        return super.update(-learningRate);
                    }
                }),
                TrainableValueFunctionContract::anUpdateDescendsTheLoss,
                "must lower the loss");
        assertFails(
                trainable(() -> new Tabular() {
                    @Override
                    public ValuePass forward(SequenceBatch batch) {
                        return changed(batch, (pass, dValues) -> {
                            pass.backward(dValues);
                            update(0.1);
                        });
                    }
                }),
                TrainableValueFunctionContract::backwardAloneMovesNothing,
                "nothing may move before update");
        assertFails(
                trainable(() -> new Tabular() {
                    @Override
                    public UpdateReport update(double learningRate) {
                        return super.update(Math.max(learningRate, 1e-2));
                    }
                }),
                TrainableValueFunctionContract::atRateZeroNoParameterMoves,
                "update(0) must move no parameter");
        assertFails(
                trainable(() -> new Tabular() {
                    @Override
                    public ValuePass forward(SequenceBatch batch) {
                        update(0); // forgets what went before
                        return super.forward(batch);
                    }
                }),
                TrainableValueFunctionContract::microBatchesAddUp,
                "must add up");
    }

    @Test
    void refusals() throws IOException {
        assertFails(
                trainable(() -> new Tabular() {
                    @Override
                    public ValuePass forward(SequenceBatch batch) {
                        return changed(
                                batch, (pass, dValues) -> super.forward(batch).backward(dValues));
                    }
                }),
                TrainableValueFunctionContract::aPassGoesBackwardOnceWhileItIsOpen,
                "second backward must be refused");
        assertFails(
                trainable(() -> new Tabular() {
                    @Override
                    public ValuePass forward(SequenceBatch batch) {
                        return changed(batch, (pass, dValues) -> {});
                    }
                }),
                TrainableValueFunctionContract::gradientsOfAnotherShapeAreRefused,
                "fewer rows than the batch");
        assertFails(
                trainable(() -> new Tabular() {
                    @Override
                    public ValuePass forward(SequenceBatch batch) {
                        return changed(batch, (pass, dValues) -> pass.backward(Ragged.zerosLike(dValues)));
                    }
                }),
                TrainableValueFunctionContract::aGradientThatIsNotFiniteIsRefusedAndMovesNothing,
                "must refuse a gradient that is not finite");
        Supplier<TrainableValueFunction> forgetful = () -> new Tabular() {
            @Override
            public void restoreState(Path from) {}
        };
        assertFails(
                trainable(forgetful),
                TrainableValueFunctionContract::aRestoredValueFunctionGoesOnAsTheSavedOne,
                "to the same bits");
        assertFails(
                trainable(forgetful),
                TrainableValueFunctionContract::aMissingStateIsRefusedAndChangesNothing,
                "must throw");
    }
}
