package io.github.rlhf4j.testkit;

import static io.github.rlhf4j.testkit.Broken.assertFails;

import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.core.random.RandomKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each test of the trainable policies' contract fails on a policy that breaks its promise, and says which. */
class BrokenTrainablePolicyTest {

    @TempDir
    Path directory;

    private int directories;

    private Path newDirectory() {
        return directory.resolve("test" + directories++);
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
}
