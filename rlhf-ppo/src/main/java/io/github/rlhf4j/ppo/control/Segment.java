package io.github.rlhf4j.ppo.control;

import java.util.ArrayList;
import java.util.List;

/**
 * Consecutive steps of one episode: the episode's, or those of it that fell into one rollout. It is a row of what {@code
 * ppo.math} works on, as a response is in language.
 */
final class Segment {

    /**
     * A step.
     *
     * @param observation s_t
     * @param action a_t
     * @param logProb log π_old(a_t | s_t), nats
     * @param value V_old(s_t)
     * @param reward r_t
     */
    record Step(double[] observation, int action, double logProb, double value, double reward) {}

    private final List<Step> steps = new ArrayList<>();
    private double lastValue;

    void add(Step step) {
        steps.add(step);
    }

    /** This segment, ended in a state of this value: 0 when the task terminated there. */
    Segment endedAt(double valueOfLastState) {
        lastValue = valueOfLastState;
        return this;
    }

    boolean isEmpty() {
        return steps.isEmpty();
    }

    List<Step> steps() {
        return steps;
    }

    /** V of the state after the last step. */
    double lastValue() {
        return lastValue;
    }

    double[] rewards() {
        return steps.stream().mapToDouble(Step::reward).toArray();
    }

    double[] values() {
        return steps.stream().mapToDouble(Step::value).toArray();
    }
}
