package io.github.rlhf4j.testkit;

import static io.github.rlhf4j.testkit.Broken.assertFails;

import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.ppo.math.KlEstimator;
import io.github.rlhf4j.ppo.math.Ragged;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
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

            @Override
            protected Policy klReference() {
                return PpoFixture.policy();
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

    /** Of which passes with a reference are {@code change}d. */
    private Supplier<TabularPolicy> comparing(UnaryOperator<ForwardPass> change) {
        return () -> new Tabular() {
            @Override
            public ForwardPass forward(SequenceBatch batch, Policy reference) {
                return change.apply(super.forward(batch, reference));
            }
        };
    }

    /** A pass that gives other scores, and takes other gradients back. */
    private static ForwardPass changed(
            ForwardPass sound, UnaryOperator<TokenScores> scores, UnaryOperator<TokenGradients> gradients) {
        return new ForwardPass() {
            @Override
            public TokenScores scores() {
                return scores.apply(sound.scores());
            }

            @Override
            public void backward(TokenGradients passed) {
                sound.backward(gradients.apply(passed));
            }

            @Override
            public void close() {
                sound.close();
            }
        };
    }

    @Test
    void exactKl() throws IOException {
        UnaryOperator<TokenGradients> same = UnaryOperator.identity();
        assertFails(
                policy(comparing(
                        pass -> changed(pass, s -> new TokenScores(s.entropies(), s.entropies(), s.kls()), same))),
                TrainablePolicyContract::aPassWithAReferenceScoresAsOneWithout,
                "forward with a reference must give score's log-probabilities");
        assertFails(
                policy(comparing(pass -> changed(pass, s -> new TokenScores(s.logProbs(), s.entropies()), same))),
                TrainablePolicyContract::aPassWithAReferenceScoresAsOneWithout,
                "must have kls");
        assertFails( // K1 of the token in place of the KL
                policy(() -> new Tabular() {
                    @Override
                    public ForwardPass forward(SequenceBatch batch, Policy reference) {
                        double[][] k1 = KlEstimator.K1.values(
                                score(batch).logProbs(), reference.score(batch).logProbs());
                        return BrokenTrainablePolicyTest.changed(
                                super.forward(batch, reference),
                                s -> new TokenScores(s.logProbs(), s.entropies(), k1),
                                same);
                    }
                }),
                TrainablePolicyContract::klsAreThoseOfTheWholeDistributions,
                "over all next tokens");
        assertFails(
                policy(comparing(pass -> changed(
                        pass,
                        UnaryOperator.identity(),
                        g -> new TokenGradients(g.dLogProbs(), null, Ragged.map(g.dKls(), d -> -d))))),
                TrainablePolicyContract::anUpdateDescendsTheKl,
                "the sum of the KL to the reference went");
        assertFails(
                policy(() -> new Tabular() {
                    @Override
                    public ForwardPass forward(SequenceBatch batch) {
                        return changed(
                                batch,
                                (pass, gradients) -> pass.backward(
                                        new TokenGradients(gradients.dLogProbs(), gradients.dEntropies())));
                    }
                }),
                TrainablePolicyContract::aGradientOfAKlThatThePassHasNotIsRefused,
                "must be refused by a pass without a reference");
        TrainablePolicyContract silent = new TrainablePolicyContract() {
            @Override
            protected TabularPolicy policy() {
                return new Tabular();
            }
        };
        assertFails(
                silent,
                TrainablePolicyContract::aPolicyWithoutAnExactKlSaysSo,
                "requireKlTo must refuse where there is");
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
