package io.github.rlhf4j.ppo.math;

/**
 * The value function's loss, clipped to where it was when the rollout was made (lm-human-preferences
 * {@code PPOTrainer.loss}):
 *
 * <pre>{@code
 * loss = ½·max((V − R)², (clip(V, V_old ± ε) − R)²)
 * }</pre>
 *
 * @param clip ε &gt; 0 in reward units, or 0 for the plain ½·(V − R)²
 */
public record ClippedValueLoss(double clip) {

    /**
     * Loss, gradient and diagnostics.
     *
     * @param loss weighted sum over tokens
     * @param gradient dLoss/dvalue
     * @param bindingCount tokens where the clipped term is the larger, so that the gradient is zero
     */
    public record Result(double loss, double[][] gradient, long bindingCount) {}

    public ClippedValueLoss {
        if (!(clip >= 0) || Double.isInfinite(clip)) {
            throw new IllegalArgumentException(
                    "the clip range of the value function must be ≥ 0 and finite (0 is off), got " + clip);
        }
    }

    /**
     * The loss of a batch.
     *
     * @param values V of each token
     * @param oldValues V when the rollout was made
     * @param returns R, the targets
     * @param rowWeights weight of each row's tokens, from {@link Aggregation#rowWeights}, times the coefficient
     */
    public Result evaluate(double[][] values, double[][] oldValues, double[][] returns, double[] rowWeights) {
        Ragged.requireSameShape("values", values, "oldValues", oldValues);
        Ragged.requireSameShape("values", values, "returns", returns);
        Ragged.requireRowWeights(rowWeights, values);
        double loss = 0;
        long bindingCount = 0;
        double[][] gradient = Ragged.zerosLike(values);
        for (int i = 0; i < values.length; i++) {
            for (int t = 0; t < values[i].length; t++) {
                double error = values[i][t] - returns[i][t];
                double clippedError = clipAround(values[i][t], oldValues[i][t]) - returns[i][t];
                boolean binding = Math.abs(clippedError) > Math.abs(error);
                double larger = binding ? clippedError : error;
                loss += rowWeights[i] * larger * larger / 2;
                gradient[i][t] = binding ? 0 : rowWeights[i] * error;
                bindingCount += binding ? 1 : 0;
            }
        }
        return new Result(loss, gradient, bindingCount);
    }

    private double clipAround(double value, double old) {
        return clip == 0 ? value : Math.max(old - clip, Math.min(old + clip, value));
    }
}
