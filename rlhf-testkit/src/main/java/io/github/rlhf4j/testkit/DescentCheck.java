package io.github.rlhf4j.testkit;

import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.TrainablePolicy;
import io.github.rlhf4j.core.TrainableValueFunction;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.core.ValuePass;
import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Checks the parameter gradients of a policy or value function through its contract alone, without a look at its parameters.
 *
 * <p>Plain gradient descent at rate η moves the parameters by −η·g. A loss whose gradient is g then has the slope −‖g‖² along
 * η, and {@link UpdateReport#gradientNorm} says ‖g‖. It is one direction of many: a gradient that is wrong shows, one that is
 * zero for some parameters does not (use {@link GradientCheck.Coordinates} where parameters can be reached). Numbers should be
 * computed in double; in float32 the tolerance has to be wide.
 */
public final class DescentCheck {

    private final GradientCheck check;

    public DescentCheck(GradientCheck check) {
        this.check = check;
    }

    /**
     * @param policies a new policy at each call, always of the same parameters, with plain gradient descent and no clipping
     * @param batch what to score
     * @param weights the loss is Σ of each log-probability (and entropy) times its weight; shapes as the batch's
     * @throws AssertionError when the loss does not fall as the gradient says
     */
    public void policy(Supplier<? extends TrainablePolicy> policies, SequenceBatch batch, TokenGradients weights) {
        policy(policies, policy -> policy.forward(batch), weights);
    }

    /**
     * As for a policy without a reference, of passes that have one: weights may have {@link TokenGradients#dKls}.
     *
     * @param reference what {@link TrainablePolicy#forward(SequenceBatch, Policy)} compares with
     */
    public void policy(
            Supplier<? extends TrainablePolicy> policies,
            Policy reference,
            SequenceBatch batch,
            TokenGradients weights) {
        policy(policies, policy -> policy.forward(batch, reference), weights);
    }

    private void policy(
            Supplier<? extends TrainablePolicy> policies,
            Function<TrainablePolicy, ForwardPass> passes,
            TokenGradients weights) {
        double slope = slope(step(policies.get(), passes, weights, 0));
        check("policy", slope, rate -> {
            TrainablePolicy policy = policies.get();
            step(policy, passes, scaled(weights, Math.signum(rate)), Math.abs(rate));
            try (ForwardPass moved = passes.apply(policy)) {
                return loss(weights, moved.scores());
            }
        });
    }

    private static double loss(TokenGradients weights, TokenScores scores) {
        return dot(weights.dLogProbs(), scores.logProbs())
                + dot(weights.dEntropies(), scores.entropies())
                + dot(weights.dKls(), scores.kls());
    }

    /** As for a policy; the loss is Σ of each value times its weight. */
    public void valueFunction(
            Supplier<? extends TrainableValueFunction> functions, SequenceBatch batch, double[][] weights) {
        double slope = slope(step(functions.get(), batch, weights, 0));
        check("value function", slope, rate -> {
            TrainableValueFunction function = functions.get();
            step(function, batch, scaled(weights, Math.signum(rate)), Math.abs(rate));
            return dot(weights, function.values(batch));
        });
    }

    private void check(String what, double slope, DoubleUnaryOperator lossByRate) {
        check.check(
                what + " along the rate of an update, whose slope is −‖gradient‖²",
                new double[1],
                rate -> lossByRate.applyAsDouble(rate[0]),
                new double[] {slope});
    }

    private static double slope(UpdateReport report) {
        if (report.clipped()) {
            throw new IllegalArgumentException("the optimiser of a checked model must not clip its gradient, of norm "
                    + report.gradientNorm() + " here");
        }
        return -report.gradientNorm() * report.gradientNorm();
    }

    private static UpdateReport step(
            TrainablePolicy policy,
            Function<TrainablePolicy, ForwardPass> passes,
            TokenGradients weights,
            double rate) {
        try (ForwardPass pass = passes.apply(policy)) {
            pass.backward(weights);
        }
        return policy.update(rate);
    }

    private static UpdateReport step(
            TrainableValueFunction function, SequenceBatch batch, double[][] weights, double rate) {
        try (ValuePass pass = function.forward(batch)) {
            pass.backward(weights);
        }
        return function.update(rate);
    }

    private static TokenGradients scaled(TokenGradients gradients, double factor) {
        return new TokenGradients(
                scaled(gradients.dLogProbs(), factor),
                gradients.dEntropies() == null ? null : scaled(gradients.dEntropies(), factor),
                gradients.dKls() == null ? null : scaled(gradients.dKls(), factor));
    }

    private static double[][] scaled(double[][] rows, double factor) {
        return Arrays.stream(rows)
                .map(row -> Arrays.stream(row).map(x -> factor * x).toArray())
                .toArray(double[][]::new);
    }

    /** Σ a·b; 0 where there is no a. */
    private static double dot(double @Nullable [] @Nullable [] a, double @Nullable [] @Nullable [] b) {
        double sum = 0;
        if (a == null || b == null) {
            return sum;
        }
        for (int i = 0; i < a.length; i++) {
            for (int t = 0; t < a[i].length; t++) {
                sum += a[i][t] * b[i][t];
            }
        }
        return sum;
    }
}
