package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.core.training.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each test of the contracts for what trains fails on a class that breaks its promise, and says which. */
class BrokenTrainingTest {

    private interface ContractTest<C> {
        void run(C contract) throws Exception;
    }

    @TempDir
    Path directory;

    private int directories;

    private Path newDirectory() {
        return directory.resolve("test" + directories++);
    }

    private static <C> void assertFails(C contract, ContractTest<C> test, String says) {
        assertThat(catchThrowable(() -> test.run(contract)))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining(says);
    }

    /** A sound policy to break one method of. */
    private static class Tabular extends TabularPolicy {

        Tabular() {
            super(
                    PpoFixture.LETTERS,
                    TabularContext.WHOLE_PREFIX,
                    16,
                    new StateTable(3, TabularOptimizer.Adam.defaults(), RandomKey.of(1), 0.5));
        }

        /** A pass that hands its gradients to {@code change} on their way. */
        ForwardPass changed(SequenceBatch batch, BiConsumer<ForwardPass, TokenGradients> change) {
            ForwardPass sound = super.forward(batch);
            return new ForwardPass() {
                @Override
                public TokenScores scores() {
                    return sound.scores();
                }

                @Override
                public void backward(TokenGradients gradients) {
                    change.accept(sound, gradients);
                }

                @Override
                public void close() {
                    sound.close();
                }
            };
        }
    }

    private TrainablePolicyContract policy(Supplier<TabularPolicy> policies) throws IOException {
        TrainablePolicyContract contract = new TrainablePolicyContract() {
            @Override
            protected TabularPolicy policy() {
                return policies.get();
            }
        };
        contract.directory = Files.createDirectory(newDirectory());
        return contract;
    }

    @Test
    void scoresOfAPass() throws IOException {
        assertFails(
                policy(() -> new Tabular() {
                    @Override
                    public TokenScores score(SequenceBatch batch) {
                        return super.score(new SequenceBatch(batch.sequences(), 1));
                    }
                }),
                TrainablePolicyContract::aForwardPassScoresAsScoreDoes,
                "forward must give score's");
    }

    @Test
    void gradients() throws IOException {
        assertFails(
                policy(() -> new Tabular() {
                    @Override
                    public UpdateReport update(double learningRate) {
                        return super.update(-learningRate);
                    }
                }),
                TrainablePolicyContract::anUpdateDescendsTheLoss,
                "must lower the loss");
        assertFails(
                policy(() -> new Tabular() {
                    @Override
                    public ForwardPass forward(SequenceBatch batch) {
                        return changed(batch, (pass, gradients) -> {
                            pass.backward(gradients);
                            update(0.1);
                        });
                    }
                }),
                TrainablePolicyContract::backwardAloneMovesNothing,
                "nothing may move before update");
        assertFails(
                policy(() -> new Tabular() {
                    @Override
                    public UpdateReport update(double learningRate) {
                        return super.update(Math.max(learningRate, 1e-2));
                    }
                }),
                TrainablePolicyContract::atRateZeroNoParameterMoves,
                "update(0) must move no parameter");
        assertFails(
                policy(() -> new Tabular() {
                    @Override
                    public ForwardPass forward(SequenceBatch batch) {
                        update(0); // forgets what went before
                        return super.forward(batch);
                    }
                }),
                TrainablePolicyContract::microBatchesAddUp,
                "must add up");
        assertFails(
                policy(() -> new Tabular() {
                    @Override
                    public ForwardPass forward(SequenceBatch batch) {
                        return changed(
                                batch, (pass, gradients) -> super.forward(batch).backward(gradients));
                    }
                }),
                TrainablePolicyContract::aPassGoesBackwardOnceWhileItIsOpen,
                "second backward must be refused");
        assertFails(
                policy(() -> new Tabular() {
                    @Override
                    public ForwardPass forward(SequenceBatch batch) {
                        return changed(batch, (pass, gradients) -> {});
                    }
                }),
                TrainablePolicyContract::gradientsOfAnotherShapeAreRefused,
                "fewer rows than the batch");
        assertFails(
                policy(() -> new Tabular() {
                    @Override
                    public ForwardPass forward(SequenceBatch batch) {
                        return changed(batch, (pass, gradients) -> {
                            Arrays.stream(gradients.dLogProbs()).forEach(row -> Arrays.fill(row, 0));
                            pass.backward(gradients);
                        });
                    }
                }),
                TrainablePolicyContract::aGradientThatIsNotFiniteIsRefusedAndMovesNothing,
                "must refuse a gradient that is not finite");
    }

    @Test
    void states() throws IOException {
        assertFails(
                policy(() -> new Tabular() {
                    @Override
                    public void restoreState(Path from) {}
                }),
                TrainablePolicyContract::aRestoredPolicyGoesOnAsTheSavedOne,
                "to the same bits");
        assertFails(
                policy(() -> new Tabular() {
                    @Override
                    public void restoreState(Path from) {}
                }),
                TrainablePolicyContract::aMissingStateIsRefusedAndChangesNothing,
                "must throw");
    }

    /** Four steps whose metric is their square; each part replaceable by a broken one. */
    private static class Counter implements Trainer {

        long steps;

        @Override
        public String name() {
            return "counter";
        }

        @Override
        public long stepsDone() {
            return steps;
        }

        @Override
        public long totalSteps() {
            return 4;
        }

        @Override
        public StepReport step() {
            if (finished()) {
                throw new IllegalStateException("no step is left");
            }
            steps++;
            return new StepReport(name(), steps, totalSteps(), Map.of("square", metric()));
        }

        double metric() {
            return steps * steps;
        }

        /** The steps as text, and that text again, so that an altered byte shows. */
        @Override
        public void save(Path to) throws IOException {
            Files.createDirectories(to);
            Files.writeString(to.resolve("steps"), steps + "=" + steps);
        }

        @Override
        public void restore(Path from) throws IOException {
            String[] saved = Files.readString(from.resolve("steps")).split("=");
            if (saved.length != 2 || !saved[0].equals(saved[1])) {
                throw new IOException(from + " is torn");
            }
            steps = Long.parseLong(saved[0]);
        }

        @Override
        public void close() {}
    }

    private TrainerContract trainer(Supplier<Trainer> trainers) throws IOException {
        TrainerContract contract = new TrainerContract() {
            @Override
            protected Trainer trainer() {
                return trainers.get();
            }
        };
        contract.directory = Files.createDirectory(newDirectory());
        return contract;
    }

    /** What is broken below is all that is. */
    @Test
    void theTrainerThatIsBrokenBelowIsWhole() throws IOException {
        trainer(Counter::new).stepsAreCountedToTheEnd();
        trainer(Counter::new).theSameRunHasTheSameMetrics();
        trainer(Counter::new).aResumedRunContinuesToTheSameBits();
        trainer(Counter::new).aCheckpointReplacesTheOneBefore();
        trainer(Counter::new).aMissingCheckpointIsRefused();
        trainer(Counter::new).aTornCheckpointIsRefused();
    }

    @Test
    void trainers() throws IOException {
        assertFails(
                trainer(() -> new Counter() {
                    @Override
                    public StepReport step() {
                        return finished() ? new StepReport(name(), steps, 4, Map.of()) : super.step();
                    }
                }),
                TrainerContract::stepsAreCountedToTheEnd,
                "a step after the last must be refused");
        assertFails(
                trainer(() -> new Counter() {
                    @Override
                    public StepReport step() {
                        return new StepReport(name(), steps, 4, super.step().metrics());
                    }
                }),
                TrainerContract::stepsAreCountedToTheEnd,
                "number the steps from 1");
        long[] shared = {0};
        assertFails(
                trainer(() -> new Counter() {
                    @Override
                    double metric() {
                        return shared[0]++;
                    }
                }),
                TrainerContract::theSameRunHasTheSameMetrics,
                "must be the same run");
        assertFails(
                trainer(() -> new Counter() {
                    private double sum;

                    @Override
                    double metric() {
                        return sum += steps; // not in the checkpoint
                    }
                }),
                TrainerContract::aResumedRunContinuesToTheSameBits,
                "must continue to the same bits");
        assertFails(
                trainer(() -> new Counter() {
                    private int saves;

                    @Override
                    public void save(Path to) throws IOException {
                        super.save(to);
                        saves++;
                    }

                    @Override
                    double metric() {
                        return steps + saves;
                    }
                }),
                TrainerContract::aResumedRunContinuesToTheSameBits,
                "saving must not change the run");
        assertFails(
                trainer(() -> new Counter() {
                    @Override
                    public void save(Path to) throws IOException {
                        if (!Files.exists(to)) {
                            super.save(to);
                        }
                    }
                }),
                TrainerContract::aCheckpointReplacesTheOneBefore,
                "must replace the checkpoint");
        assertFails(
                trainer(() -> new Counter() {
                    @Override
                    public void restore(Path from) {}
                }),
                TrainerContract::aMissingCheckpointIsRefused,
                "a missing checkpoint must be refused");
        assertFails(
                trainer(() -> new Counter() {
                    @Override
                    public void restore(Path from) {}
                }),
                TrainerContract::aTornCheckpointIsRefused,
                "must be refused");
    }
}
