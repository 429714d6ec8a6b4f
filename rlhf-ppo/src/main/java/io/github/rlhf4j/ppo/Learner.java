package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.ActorCritic;
import io.github.rlhf4j.core.Checkpointable;
import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.TrainablePolicy;
import io.github.rlhf4j.core.TrainableValueFunction;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.core.ValuePass;
import io.github.rlhf4j.ppo.internal.LossKl;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** Policy and value function as one thing that learns, whether they share a trunk or not. */
sealed interface Learner extends Checkpointable {

    /**
     * What is trained.
     *
     * @param kl makes the policy's passes
     * @throws IllegalArgumentException when a critic on the policy's trunk has no trunk to be on
     */
    static Learner of(TrainablePolicy policy, Critic critic, LossKl kl) {
        if (critic instanceof Critic.Separate separate) {
            return new TwoModels(policy, separate.valueFunction(), kl);
        } else if (policy instanceof ActorCritic actorCritic) {
            return new SharedTrunk(actorCritic, kl);
        }
        throw new IllegalArgumentException("a critic on the policy's trunk needs a policy that is an ActorCritic, got "
                + policy.getClass().getName() + "; give one, or use Critic.separate(valueFunction)");
    }

    /** V of each scored token, before the rollout's first update. */
    double[][] values(SequenceBatch batch);

    /**
     * One forward and backward pass. The objectives turn what the forward pass gives into its gradient; they may throw,
     * before anything has gone backward.
     */
    void accumulate(
            SequenceBatch batch,
            Function<TokenScores, TokenGradients> policyObjective,
            UnaryOperator<double[][]> valueObjective);

    /** Applies what was accumulated and returns what happened to the policy. */
    UpdateReport update(double policyRate, double valueRate);

    /**
     * The same models, of which only the value function learns: the policy is scored, and stays.
     *
     * @throws IllegalArgumentException on a shared trunk, where there is no such thing
     */
    Learner valueOnly();

    /** Two networks, two optimisers; the passes follow one another, so only one's activations are alive. */
    record TwoModels(TrainablePolicy policy, TrainableValueFunction valueFunction, LossKl kl) implements Learner {

        @Override
        public double[][] values(SequenceBatch batch) {
            return valueFunction.values(batch);
        }

        @Override
        public void accumulate(
                SequenceBatch batch,
                Function<TokenScores, TokenGradients> policyObjective,
                UnaryOperator<double[][]> valueObjective) {
            try (ForwardPass pass = kl.forward(policy, batch)) {
                pass.backward(policyObjective.apply(pass.scores()));
            }
            try (ValuePass pass = valueFunction.forward(batch)) {
                pass.backward(valueObjective.apply(pass.values()));
            }
        }

        /** The objective of the policy's scores; what goes forward for an exact KL does not go back. */
        private void applyWithoutGradient(SequenceBatch batch, Function<TokenScores, TokenGradients> policyObjective) {
            if (kl.isExact()) {
                try (ForwardPass pass = kl.forward(policy, batch)) {
                    policyObjective.apply(pass.scores());
                }
            } else {
                policyObjective.apply(policy.score(batch));
            }
        }

        @Override
        public UpdateReport update(double policyRate, double valueRate) {
            // The policy first: when its gradient is not finite, nothing has moved.
            UpdateReport report = policy.update(policyRate);
            valueFunction.update(valueRate);
            return report;
        }

        @Override
        public Learner valueOnly() {
            return new ValueOnly(this);
        }

        @Override
        public void saveState(Path directory) throws IOException {
            policy.saveState(Files.createDirectory(directory.resolve("policy")));
            valueFunction.saveState(Files.createDirectory(directory.resolve("value")));
        }

        @Override
        public void restoreState(Path directory) throws IOException {
            policy.restoreState(directory.resolve("policy"));
            valueFunction.restoreState(directory.resolve("value"));
        }
    }

    /** Of two networks the value function's; the policy's gradient is not asked for, so its norm is 0. */
    record ValueOnly(TwoModels models) implements Learner {

        @Override
        public double[][] values(SequenceBatch batch) {
            return models.values(batch);
        }

        @Override
        public void accumulate(
                SequenceBatch batch,
                Function<TokenScores, TokenGradients> policyObjective,
                UnaryOperator<double[][]> valueObjective) {
            models.applyWithoutGradient(batch, policyObjective);
            try (ValuePass pass = models.valueFunction().forward(batch)) {
                pass.backward(valueObjective.apply(pass.values()));
            }
        }

        @Override
        public UpdateReport update(double policyRate, double valueRate) {
            models.valueFunction().update(valueRate);
            return new UpdateReport(0, false);
        }

        @Override
        public Learner valueOnly() {
            return this;
        }

        @Override
        public void saveState(Path directory) throws IOException {
            models.saveState(directory);
        }

        @Override
        public void restoreState(Path directory) throws IOException {
            models.restoreState(directory);
        }
    }

    /** One network with two heads, one optimiser at the policy's rate. */
    record SharedTrunk(ActorCritic model, LossKl kl) implements Learner {

        @Override
        public double[][] values(SequenceBatch batch) {
            return model.values(batch);
        }

        @Override
        public void accumulate(
                SequenceBatch batch,
                Function<TokenScores, TokenGradients> policyObjective,
                UnaryOperator<double[][]> valueObjective) {
            try (ActorCritic.JointPass pass = kl.forwardJointly(model, batch)) {
                pass.backward(policyObjective.apply(pass.scores()), valueObjective.apply(pass.values()));
            }
        }

        @Override
        public UpdateReport update(double policyRate, double valueRate) {
            return model.update(policyRate);
        }

        @Override
        public Learner valueOnly() {
            throw new IllegalArgumentException(
                    "a value function on the policy's trunk cannot be warmed up by itself: the"
                            + " value loss moves the trunk, and the policy with it; use Critic.separate(valueFunction), or"
                            + " LossSettings.withValueWarmup(0)");
        }

        @Override
        public void saveState(Path directory) throws IOException {
            model.saveState(Files.createDirectory(directory.resolve("policy")));
        }

        @Override
        public void restoreState(Path directory) throws IOException {
            model.restoreState(directory.resolve("policy"));
        }
    }
}
