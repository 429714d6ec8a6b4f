package io.github.rlhf4j.ppo.control;

/** A distribution over actions, given an observation: a softmax over the outputs of a small network. */
public final class ControlPolicy {

    private final Mlp network;

    ControlPolicy(Mlp network) {
        this.network = network;
    }

    /**
     * log π(· | observation), nats, one per action.
     *
     * @param observation {@code [observationSize]}
     */
    public double[] logProbs(double[] observation) {
        return logProbs(new double[][] {observation})[0];
    }

    /** The most likely action. */
    public int bestAction(double[] observation) {
        double[] logProbs = logProbs(observation);
        int best = 0;
        for (int action = 1; action < logProbs.length; action++) {
            best = logProbs[action] > logProbs[best] ? action : best;
        }
        return best;
    }

    /**
     * An action drawn from the policy.
     *
     * @param uniform in [0, 1), the draw's randomness
     */
    public int draw(double[] observation, double uniform) {
        return drawn(logProbs(observation), uniform);
    }

    /** As {@link #logProbs(double[])} for a batch: {@code [B][actions]}. */
    double[][] logProbs(double[][] observations) {
        return logSoftmax(network.output(observations));
    }

    /** The action at which the cumulative distribution passes {@code uniform}. */
    static int drawn(double[] logProbs, double uniform) {
        double cumulative = 0;
        for (int action = 0; action + 1 < logProbs.length; action++) {
            cumulative += Math.exp(logProbs[action]);
            if (uniform < cumulative) {
                return action;
            }
        }
        return logProbs.length - 1;
    }

    /** Scores actions taken, with what backward needs. */
    Pass forward(double[][] observations, int[] actions) {
        return new Pass(network.forward(observations), actions);
    }

    /** Log-probs and entropies of a batch of actions, {@code [B]} each. */
    final class Pass {

        private final Mlp.Pass networkPass;
        private final int[] actions;
        private final double[][] distributions;
        private final double[] logProbs;
        private final double[] entropies;

        private Pass(Mlp.Pass networkPass, int[] actions) {
            this.networkPass = networkPass;
            this.actions = actions;
            this.distributions = logSoftmax(networkPass.output());
            this.logProbs = new double[actions.length];
            this.entropies = new double[actions.length];
            for (int i = 0; i < actions.length; i++) {
                logProbs[i] = distributions[i][actions[i]];
                entropies[i] = entropy(distributions[i]);
            }
        }

        double[] logProbs() {
            return logProbs;
        }

        double[] entropies() {
            return entropies;
        }

        /** dlogit_a = dlogProb·(1{a = action} − p_a) − dentropy·p_a·(log p_a + H). */
        void backward(double[] dLogProbs, double[] dEntropies) {
            double[][] dLogits = new double[actions.length][];
            for (int i = 0; i < actions.length; i++) {
                double[] d = new double[distributions[i].length];
                for (int a = 0; a < d.length; a++) {
                    double logProb = distributions[i][a];
                    double p = Math.exp(logProb);
                    double taken = a == actions[i] ? 1 : 0;
                    d[a] = dLogProbs[i] * (taken - p) - dEntropies[i] * p * (logProb + entropies[i]);
                }
                dLogits[i] = d;
            }
            network.backward(networkPass, dLogits);
        }
    }

    private static double entropy(double[] logProbs) {
        double entropy = 0;
        for (double logProb : logProbs) {
            entropy -= Math.exp(logProb) * logProb;
        }
        return entropy;
    }

    private static double[][] logSoftmax(double[][] logits) {
        for (double[] row : logits) {
            double largest = Double.NEGATIVE_INFINITY;
            for (double logit : row) {
                largest = Math.max(largest, logit);
            }
            double sum = 0;
            for (double logit : row) {
                sum += Math.exp(logit - largest);
            }
            double logSum = largest + Math.log(sum);
            for (int a = 0; a < row.length; a++) {
                row[a] -= logSum;
            }
        }
        return logits;
    }
}
