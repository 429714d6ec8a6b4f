package io.github.rlhf4j.ppo.math;

/** Where in the responses a policy has left its reference. */
public final class KlByPosition {

    private KlByPosition() {}

    /**
     * Mean KL of the tokens at each position, over the responses that reach it.
     *
     * @param kl an estimate at each token, nats
     * @return one entry per position up to the longest response
     */
    public static double[] means(double[][] kl) {
        int longest = 0;
        for (double[] row : kl) {
            longest = Math.max(longest, row.length);
        }
        double[] means = new double[longest];
        int[] counts = new int[longest];
        for (double[] row : kl) {
            for (int t = 0; t < row.length; t++) {
                means[t] += row[t];
                counts[t]++;
            }
        }
        for (int t = 0; t < longest; t++) {
            means[t] /= counts[t];
        }
        return means;
    }

    /**
     * Mean KL of the tokens in each part of their own responses, of equal length up to rounding: is it the beginning, or the
     * end, that moves?
     *
     * @param kl an estimate at each token, nats; at least one token
     * @param parts ≥ 1
     * @return nats per token, one entry per part; NaN for a part without a token
     */
    public static double[] byPart(double[][] kl, int parts) {
        double[] sums = new double[parts];
        int[] counts = new int[parts];
        for (double[] row : kl) {
            for (int t = 0; t < row.length; t++) {
                int part = (int) ((long) t * parts / row.length);
                sums[part] += row[t];
                counts[part]++;
            }
        }
        for (int part = 0; part < parts; part++) {
            sums[part] /= counts[part];
        }
        return sums;
    }
}
