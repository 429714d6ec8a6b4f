package io.github.rlhf4j.ppo.math;

/** How much of the returns' variance a value function explains. */
public final class ExplainedVariance {

    private ExplainedVariance() {}

    /**
     * 1 − Var(R − V)/Var(R) over all tokens: 1 is perfect, 0 no better than a constant, below 0 worse. 0 when the
     * returns do not vary, where there is nothing to explain.
     */
    public static double of(double[][] values, double[][] returns) {
        double total = variance(returns);
        return total == 0 ? 0 : 1 - variance(Ragged.combine(returns, values, (r, v) -> r - v)) / total;
    }

    private static double variance(double[][] rows) {
        double mean = Ragged.mean(rows);
        return Ragged.mean(Ragged.map(rows, x -> (x - mean) * (x - mean)));
    }
}
