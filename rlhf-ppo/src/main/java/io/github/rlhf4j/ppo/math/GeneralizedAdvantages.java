package io.github.rlhf4j.ppo.math;

/**
 * Generalized advantage estimates (Schulman et al. 2016, "High-dimensional continuous control using generalized advantage
 * estimation", equations 11–16).
 *
 * <pre>{@code
 * δ_t = r_t + γ·V_{t+1} − V_t          V after the last token is 0, unless it is given
 * A_t = δ_t + γ·λ·A_{t+1}
 * R_t = A_t + V_t                      the value function's target
 * }</pre>
 *
 * Rows hold the policy's own tokens only, so across turns of other people the estimate is carried, not zeroed: it is
 * that of the sequence with the gaps removed.
 *
 * @param advantages A_t, before whitening; rows as the rewards'
 * @param returns R_t; rows as the rewards'
 */
public record GeneralizedAdvantages(double[][] advantages, double[][] returns) {

    /**
     * Estimates from per-token rewards and values.
     *
     * @param rewards r_t of each token, reward units
     * @param values V(s_t), s_t being everything before token t; same shape
     * @param gamma discount γ in [0, 1]
     * @param lambda λ in [0, 1]: 0 gives the one-step error, 1 the sum of what follows minus the value
     */
    public static GeneralizedAdvantages estimate(double[][] rewards, double[][] values, double gamma, double lambda) {
        return estimate(rewards, values, new double[rewards.length], gamma, lambda);
    }

    /**
     * Estimates where a row may end before what it is part of does: then V of the state after its last entry stands for
     * what was cut off (Pardo et al. 2018, "Time limits in reinforcement learning", §3).
     *
     * @param rewards r_t, reward units
     * @param values V(s_t), same shape
     * @param lastValues V of the state after each row's last entry, one per row; 0 where nothing follows that state
     * @param gamma discount γ in [0, 1]
     * @param lambda λ in [0, 1]
     */
    public static GeneralizedAdvantages estimate(
            double[][] rewards, double[][] values, double[] lastValues, double gamma, double lambda) {
        Ragged.requireSameShape("rewards", rewards, "values", values);
        if (lastValues.length != rewards.length) {
            throw new IllegalArgumentException("the advantage estimate needs one last value per row, got "
                    + lastValues.length + " for " + rewards.length + " rows; give 0 where nothing follows");
        }
        requireUnit("gamma", gamma);
        requireUnit("lambda", lambda);
        double[][] advantages = Ragged.zerosLike(rewards);
        for (int i = 0; i < rewards.length; i++) {
            double nextValue = lastValues[i];
            double nextAdvantage = 0;
            for (int t = rewards[i].length - 1; t >= 0; t--) {
                double delta = rewards[i][t] + gamma * nextValue - values[i][t];
                nextAdvantage = delta + gamma * lambda * nextAdvantage;
                nextValue = values[i][t];
                advantages[i][t] = nextAdvantage;
            }
        }
        return new GeneralizedAdvantages(advantages, Ragged.combine(advantages, values, Double::sum));
    }

    private static void requireUnit(String name, double value) {
        if (!(value >= 0 && value <= 1)) {
            throw new IllegalArgumentException(name + " of the advantage estimate must lie in [0, 1], got " + value);
        }
    }
}
