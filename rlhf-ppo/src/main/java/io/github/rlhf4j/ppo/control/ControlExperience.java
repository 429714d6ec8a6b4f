package io.github.rlhf4j.ppo.control;

import java.util.Arrays;
import java.util.List;

/**
 * What the updates learn from: the steps of a rollout in one row, {@code [B]}; minibatches are drawn from it step by step.
 *
 * @param observations {@code [B][observationSize]}
 * @param actions taken
 * @param logProbs log π_old, nats
 * @param values V_old
 * @param advantages whitened when configured
 * @param returns the value function's targets
 */
record ControlExperience(
        double[][] observations,
        int[] actions,
        double[] logProbs,
        double[] values,
        double[] advantages,
        double[] returns) {

    static ControlExperience of(ControlRollout rollout, double[][] advantages, double[][] returns) {
        List<Segment.Step> steps = rollout.segments().stream()
                .flatMap(segment -> segment.steps().stream())
                .toList();
        return new ControlExperience(
                steps.stream().map(Segment.Step::observation).toArray(double[][]::new),
                steps.stream().mapToInt(Segment.Step::action).toArray(),
                steps.stream().mapToDouble(Segment.Step::logProb).toArray(),
                steps.stream().mapToDouble(Segment.Step::value).toArray(),
                flat(advantages),
                flat(returns));
    }

    private static double[] flat(double[][] rows) {
        return Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray();
    }

    ControlExperience select(int... steps) {
        return new ControlExperience(
                Arrays.stream(steps).mapToObj(i -> observations[i]).toArray(double[][]::new),
                Arrays.stream(steps).map(i -> actions[i]).toArray(),
                select(logProbs, steps),
                select(values, steps),
                select(advantages, steps),
                select(returns, steps));
    }

    private static double[] select(double[] row, int... steps) {
        return Arrays.stream(steps).mapToDouble(i -> row[i]).toArray();
    }

    int size() {
        return actions.length;
    }
}
