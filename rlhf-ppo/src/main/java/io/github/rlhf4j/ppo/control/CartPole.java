package io.github.rlhf4j.ppo.control;

import io.github.rlhf4j.core.random.RandomKey;

/**
 * A pole on a cart, to be kept upright by pushing the cart left or right (Barto, Sutton and Anderson 1983, "Neuronlike
 * adaptive elements that can solve difficult learning control problems"), with the constants, start and limits of
 * Gymnasium's {@code CartPole-v1}.
 *
 * <p>An observation is position (m), velocity (m/s), angle from upright (rad) and angular velocity (rad/s). Action 0 pushes
 * left, 1 right. Each step pays 1, the last too. An episode terminates when the cart leaves ±2.4 m or the pole ±12°, and is
 * truncated after 500 steps; 475 on average counts as solved.
 */
public final class CartPole implements Environment {

    /** Steps after which an episode is truncated. */
    public static final int STEP_LIMIT = 500;

    private static final double GRAVITY = 9.8; // m/s²
    private static final double CART_MASS = 1.0; // kg
    private static final double POLE_MASS = 0.1; // kg
    private static final double TOTAL_MASS = CART_MASS + POLE_MASS;
    private static final double HALF_LENGTH = 0.5; // of the pole, m
    private static final double FORCE = 10.0; // N
    private static final double TIME_STEP = 0.02; // s
    private static final double POSITION_LIMIT = 2.4; // m
    private static final double ANGLE_LIMIT = Math.toRadians(12);
    private static final double START_RANGE = 0.05; // of each number of the first observation

    private double position;
    private double velocity;
    private double angle;
    private double angularVelocity;
    private int steps;
    private boolean underWay;

    @Override
    public int observationSize() {
        return 4;
    }

    @Override
    public int actionCount() {
        return 2;
    }

    @Override
    public double[] reset(RandomKey key) {
        return start(uniform(key, 0), uniform(key, 1), uniform(key, 2), uniform(key, 3));
    }

    private static double uniform(RandomKey key, int number) {
        return START_RANGE * (2 * key.child(number).uniform() - 1);
    }

    /** Begins an episode in a state of the caller's. */
    double[] start(double startPosition, double startVelocity, double startAngle, double startAngularVelocity) {
        position = startPosition;
        velocity = startVelocity;
        angle = startAngle;
        angularVelocity = startAngularVelocity;
        steps = 0;
        underWay = true;
        return observation();
    }

    @Override
    public Transition step(int action) {
        requireAction(action);
        move(action == 1 ? FORCE : -FORCE);
        steps++;
        Transition.Outcome outcome = outcome();
        underWay = outcome == Transition.Outcome.GOES_ON;
        return new Transition(observation(), 1, outcome);
    }

    private void requireAction(int action) {
        if (!underWay) {
            throw new IllegalStateException("no episode of CartPole is under way; call reset before step");
        }
        if (action != 0 && action != 1) {
            throw new IllegalArgumentException("CartPole has the actions 0 (left) and 1 (right), got " + action);
        }
    }

    /**
     * The accelerations (Barto, Sutton and Anderson 1983, appendix, without friction) and a step of Euler's method, in which
     * all four numbers move by the derivatives before the step.
     */
    private void move(double force) {
        double sin = Math.sin(angle);
        double cos = Math.cos(angle);
        double push = (force + POLE_MASS * HALF_LENGTH * angularVelocity * angularVelocity * sin) / TOTAL_MASS;
        double angularAcceleration =
                (GRAVITY * sin - cos * push) / (HALF_LENGTH * (4.0 / 3 - POLE_MASS * cos * cos / TOTAL_MASS));
        double acceleration = push - POLE_MASS * HALF_LENGTH * angularAcceleration * cos / TOTAL_MASS;
        position += TIME_STEP * velocity;
        velocity += TIME_STEP * acceleration;
        angle += TIME_STEP * angularVelocity;
        angularVelocity += TIME_STEP * angularAcceleration;
    }

    private Transition.Outcome outcome() {
        if (Math.abs(position) > POSITION_LIMIT || Math.abs(angle) > ANGLE_LIMIT) {
            return Transition.Outcome.TERMINATED;
        }
        return steps == STEP_LIMIT ? Transition.Outcome.TRUNCATED : Transition.Outcome.GOES_ON;
    }

    private double[] observation() {
        return new double[] {position, velocity, angle, angularVelocity};
    }
}
