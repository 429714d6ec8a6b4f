package io.github.rlhf4j.ppo.math;

/**
 * DAPO's soft overlong punishment (Yu et al. 2025, "DAPO", arXiv 2503.14476): added to the score of a response, by length:
 *
 * <pre>{@code
 * 0                             length ≤ limit − buffer
 * (limit − buffer − length)/buffer   up to the limit
 * −1                            above
 * }</pre>
 *
 * @param limit L_max, tokens, ≥ 1: the limit on a response, or less
 * @param buffer L_cache, tokens, in [1, limit]
 */
public record OverlongPunishment(int limit, int buffer) {

    public OverlongPunishment {
        if (limit < 1 || buffer < 1 || buffer > limit) {
            throw new IllegalArgumentException("the overlong punishment needs a limit ≥ 1 and a buffer in [1, limit],"
                    + " got limit " + limit + " and buffer " + buffer);
        }
    }

    /**
     * What is added to the score.
     *
     * @param length tokens of the response, stop token included
     * @return reward units, in [−1, 0]
     */
    public double of(int length) {
        double over = (double) (length - (limit - buffer)) / buffer;
        return 0 - Math.max(0, Math.min(1, over));
    }

    /** The rewards with the punishment paid on each response's last token. */
    public double[][] apply(double[][] rewards) {
        double[][] result = Ragged.map(rewards, reward -> reward);
        for (double[] row : result) {
            if (row.length > 0) {
                row[row.length - 1] += of(row.length);
            }
        }
        return result;
    }
}
