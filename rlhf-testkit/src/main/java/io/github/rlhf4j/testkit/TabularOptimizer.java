package io.github.rlhf4j.testkit;

/** How the entries of a table move along their gradient. */
public sealed interface TabularOptimizer {

    /**
     * Moves one row of parameters.
     *
     * @param parameters moved in place
     * @param gradient dLoss/dparameter
     * @param first the optimiser's first moment, moved in place
     * @param second its second moment, moved in place
     * @param step 1 for the first update
     * @param rate learning rate
     */
    void move(double[] parameters, double[] gradient, double[] first, double[] second, long step, double rate);

    /** Plain gradient descent: θ ← θ − rate·g. */
    record Sgd() implements TabularOptimizer {

        @Override
        public void move(double[] parameters, double[] gradient, double[] m, double[] v, long step, double rate) {
            for (int j = 0; j < parameters.length; j++) {
                parameters[j] -= rate * gradient[j];
            }
        }
    }

    /** Adam (Kingma and Ba 2015), bias-corrected, ε outside the root. */
    record Adam(double beta1, double beta2, double epsilon) implements TabularOptimizer {

        /** β₁ 0.9, β₂ 0.999, ε 1e-8: the paper's. */
        public static Adam defaults() {
            return new Adam(0.9, 0.999, 1e-8);
        }

        @Override
        public void move(double[] parameters, double[] gradient, double[] m, double[] v, long step, double rate) {
            double correction1 = 1 - Math.pow(beta1, step);
            double correction2 = 1 - Math.pow(beta2, step);
            for (int j = 0; j < parameters.length; j++) {
                m[j] = beta1 * m[j] + (1 - beta1) * gradient[j];
                v[j] = beta2 * v[j] + (1 - beta2) * gradient[j] * gradient[j];
                parameters[j] -= rate * (m[j] / correction1) / (Math.sqrt(v[j] / correction2) + epsilon);
            }
        }
    }
}
