package io.github.rlhf4j.testkit;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.rlhf4j.core.ActorCritic;
import io.github.rlhf4j.core.ActorCritic.JointPass;
import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/**
 * What {@link ActorCritic} promises beside a policy, as tests, those of {@link TrainablePolicyContract} included. Its values
 * are tested by {@link ValueFunctionContract}, which takes the same object.
 */
public abstract class ActorCriticContract extends TrainablePolicyContract {

    /** A new one at each call, always of the same parameters. */
    @Override
    protected abstract ActorCritic policy();

    @Test
    public void aJointPassGivesScoresAndValues() {
        ActorCritic both = policy();
        SequenceBatch batch = rollout();
        try (JointPass pass = both.forwardJointly(batch)) {
            assertRows(
                    both.score(batch).logProbs(),
                    pass.scores().logProbs(),
                    "forwardJointly must give score's log-probabilities");
            assertRows(
                    both.score(batch).entropies(),
                    pass.scores().entropies(),
                    "forwardJointly must give score's entropies");
            assertRows(both.values(batch), pass.values(), "forwardJointly must give what values gives");
        }
    }

    @Test
    public void withoutAGradientOfTheValuesAJointPassTrainsAsThePolicys() {
        SequenceBatch batch = rollout();
        ActorCritic alone = policy();
        backward(alone, batch, 1);
        alone.update(learningRate());
        ActorCritic jointly = policy();
        backwardJointly(jointly, batch, 1, 0);
        jointly.update(learningRate());
        assertRows(
                alone.score(batch).logProbs(),
                jointly.score(batch).logProbs(),
                "a joint backward pass whose dValues are 0 must train the policy as its own backward pass does");
    }

    @Test
    public void anUpdateDescendsTheLossOfTheValues() {
        for (double sign : new double[] {1, -1}) {
            ActorCritic both = policy();
            SequenceBatch batch = rollout();
            double before = sum(both.values(batch));
            backwardJointly(both, batch, 0, sign);
            both.update(learningRate());
            double moved = sum(both.values(batch)) - before;
            assertTrue(
                    sign * moved < 0,
                    () -> "an update must lower the loss; with dLoss/dvalue = " + sign
                            + " the sum of the values went by " + moved);
        }
    }

    @Test
    public void jointMicroBatchesAddUp() {
        SequenceBatch batch = rollout();
        ActorCritic whole = policy();
        backwardJointly(whole, batch, -1, 1);
        whole.update(learningRate());
        ActorCritic parts = policy();
        for (int i = 0; i < batch.size(); i++) {
            backwardJointly(parts, batch.select(i), -1, 1);
        }
        parts.update(learningRate());
        String rule = "the gradients of several joint backward passes must add up to that of one pass over all";
        assertRows(whole.score(batch).logProbs(), parts.score(batch).logProbs(), rule);
        assertRows(whole.values(batch), parts.values(batch), rule);
    }

    @Test
    public void aJointPassGoesBackwardOnceWhileItIsOpen() {
        ActorCritic both = policy();
        SequenceBatch batch = rollout();
        TokenGradients gradients = gradients(both, batch, 1);
        double[][] dValues = filled(both.values(batch), 1);
        JointPass pass = both.forwardJointly(batch);
        pass.backward(gradients, dValues);
        assertThrows(
                IllegalStateException.class,
                () -> pass.backward(gradients, dValues),
                "a second joint backward must be refused;");
        pass.close();
        JointPass closed = both.forwardJointly(batch);
        closed.close();
        assertThrows(
                IllegalStateException.class,
                () -> closed.backward(gradients, dValues),
                "joint backward after close must be refused;");
    }

    @Test
    public void gradientsOfTheValuesOfAnotherShapeAreRefused() {
        ActorCritic both = policy();
        SequenceBatch batch = rollout();
        TokenGradients gradients = gradients(both, batch, 1);
        try (JointPass pass = both.forwardJointly(batch)) {
            double[][] tooFew = new double[batch.size() - 1][1];
            assertThrows(
                    IllegalArgumentException.class,
                    () -> pass.backward(gradients, tooFew),
                    "dValues with fewer rows than the batch must be refused;");
        }
    }

    /** With a reference as well as without. */
    @Test
    public void aJointPassHasThePolicysKlAndTrainsIt() {
        Policy reference = assumeReference();
        SequenceBatch batch = rollout();
        ActorCritic alone = policy();
        ActorCritic jointly = policy();
        try (ForwardPass pass = alone.forward(batch, reference);
                JointPass joint = jointly.forwardJointly(batch, reference)) {
            assertRows(
                    kls(pass),
                    requireKls(joint.scores().kls()),
                    "forwardJointly with a reference must give the kls that forward gives");
            pass.backward(klGradients(alone, batch, 1));
            joint.backward(klGradients(jointly, batch, 1), filled(jointly.values(batch), 0));
        }
        alone.update(learningRate());
        jointly.update(learningRate());
        assertRows(
                alone.score(batch).logProbs(),
                jointly.score(batch).logProbs(),
                "a joint backward pass with dKls must train the policy as its own backward pass does");
    }

    private static void backwardJointly(ActorCritic both, SequenceBatch batch, double dLogProb, double dValue) {
        try (JointPass pass = both.forwardJointly(batch)) {
            pass.backward(gradients(both, batch, dLogProb), filled(both.values(batch), dValue));
        }
    }

    private static double[][] filled(double[][] rows, double value) {
        for (double[] row : rows) {
            Arrays.fill(row, value);
        }
        return rows;
    }
}
