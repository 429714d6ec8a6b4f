package io.github.rlhf4j.testkit;

import static io.github.rlhf4j.testkit.Broken.assertFails;

import io.github.rlhf4j.core.ActorCritic;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.ppo.math.Ragged;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Each test of the actor-critics' contract fails on one that breaks its promise, and says which. */
class BrokenActorCriticTest {

    /** A tabular actor-critic whose joint passes are broken; TabularActorCritic itself is final. */
    private static final class Tabular extends TabularPolicy implements ActorCritic {

        private final TabularActorCritic sound;
        private final UnaryOperator<JointPass> change;

        Tabular(TabularActorCritic sound, UnaryOperator<JointPass> change) {
            super(sound.tokenizer(), sound.context, sound.contextLength(), sound.table);
            this.sound = sound;
            this.change = change;
        }

        @Override
        public double[][] values(SequenceBatch batch) {
            return sound.values(batch);
        }

        @Override
        public JointPass forwardJointly(SequenceBatch batch) {
            return change.apply(sound.forwardJointly(batch));
        }

        @Override
        public JointPass forwardJointly(SequenceBatch batch, Policy reference) {
            return change.apply(sound.forwardJointly(batch, reference));
        }
    }

    /** A pass that hands everything on. */
    private static class Through implements ActorCritic.JointPass {

        final ActorCritic.JointPass sound;

        Through(ActorCritic.JointPass sound) {
            this.sound = sound;
        }

        @Override
        public TokenScores scores() {
            return sound.scores();
        }

        @Override
        public double[][] values() {
            return sound.values();
        }

        @Override
        public void backward(TokenGradients gradients, double[][] dValues) {
            sound.backward(gradients, dValues);
        }

        @Override
        public void close() {
            sound.close();
        }
    }

    private static ActorCriticContract contract(UnaryOperator<ActorCritic.JointPass> change) {
        return new ActorCriticContract() {
            @Override
            protected ActorCritic policy() {
                TabularActorCritic sound = new TabularActorCritic(
                        PpoFixture.LETTERS, TabularContext.WHOLE_PREFIX, 16, TabularOptimizer.Adam.defaults());
                return new Tabular(sound, change);
            }

            @Override
            protected Policy klReference() {
                return PpoFixture.policy();
            }
        };
    }

    @Test
    void theActorCriticThatIsBrokenBelowIsWhole() {
        ActorCriticContract whole = contract(Through::new);
        whole.aJointPassGivesScoresAndValues();
        whole.withoutAGradientOfTheValuesAJointPassTrainsAsThePolicys();
        whole.anUpdateDescendsTheLossOfTheValues();
        whole.jointMicroBatchesAddUp();
        whole.aJointPassHasThePolicysKlAndTrainsIt();
        whole.aJointPassGoesBackwardOnceWhileItIsOpen();
        whole.gradientsOfTheValuesOfAnotherShapeAreRefused();
    }

    @Test
    void whatAJointPassGives() {
        assertFails(
                contract(pass -> new Through(pass) {
                    @Override
                    public double[][] values() {
                        return Ragged.map(super.values(), v -> v + 1);
                    }
                }),
                ActorCriticContract::aJointPassGivesScoresAndValues,
                "forwardJointly must give what values gives");
        assertFails(
                contract(pass -> new Through(pass) {
                    @Override
                    public TokenScores scores() {
                        TokenScores scores = super.scores();
                        return new TokenScores(scores.entropies(), scores.entropies());
                    }
                }),
                ActorCriticContract::aJointPassGivesScoresAndValues,
                "forwardJointly must give score's log-probabilities");
    }

    @Test
    void jointGradients() {
        assertFails(
                contract(pass -> new Through(pass) {
                    @Override
                    public void backward(TokenGradients gradients, double[][] dValues) {
                        double[][] turned = Ragged.map(gradients.dLogProbs(), d -> -d);
                        super.backward(new TokenGradients(turned), dValues);
                    }
                }),
                ActorCriticContract::withoutAGradientOfTheValuesAJointPassTrainsAsThePolicys,
                "must train the policy as");
        assertFails(
                contract(pass -> new Through(pass) {
                    @Override
                    public void backward(TokenGradients gradients, double[][] dValues) {
                        super.backward(gradients, Ragged.map(dValues, d -> -d));
                    }
                }),
                ActorCriticContract::anUpdateDescendsTheLossOfTheValues,
                "must lower the loss");
        assertFails(
                contract(pass -> new Through(pass) {
                    @Override
                    public void backward(TokenGradients gradients, double[][] dValues) {
                        boolean alone = dValues.length == 1;
                        super.backward(gradients, Ragged.map(dValues, d -> alone ? -d : d));
                    }
                }),
                ActorCriticContract::jointMicroBatchesAddUp,
                "joint backward passes must add up");
    }

    @Test
    void exactKl() {
        assertFails(
                contract(pass -> new Through(pass) {
                    @Override
                    public TokenScores scores() {
                        TokenScores s = super.scores();
                        return new TokenScores(s.logProbs(), s.entropies(), s.entropies());
                    }
                }),
                ActorCriticContract::aJointPassHasThePolicysKlAndTrainsIt,
                "must give the kls that forward gives");
        assertFails(
                contract(pass -> new Through(pass) {
                    @Override
                    public void backward(TokenGradients gradients, double[][] dValues) {
                        super.backward(new TokenGradients(gradients.dLogProbs()), dValues);
                    }
                }),
                ActorCriticContract::aJointPassHasThePolicysKlAndTrainsIt,
                "must train the policy as its own");
    }

    @Test
    void refusals() {
        assertFails(
                contract(pass -> new Through(pass) {
                    @Override
                    public void backward(TokenGradients gradients, double[][] dValues) {}
                }),
                ActorCriticContract::aJointPassGoesBackwardOnceWhileItIsOpen,
                "second joint backward must be refused");
        assertFails(
                contract(pass -> new Through(pass) {
                    @Override
                    public void backward(TokenGradients gradients, double[][] dValues) {
                        super.backward(gradients, Ragged.zerosLike(sound.values()));
                    }
                }),
                ActorCriticContract::gradientsOfTheValuesOfAnotherShapeAreRefused,
                "dValues with fewer rows");
    }
}
