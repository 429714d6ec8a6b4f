package io.github.rlhf4j.ppo.math;

import java.util.Arrays;

/** From scores per response to rewards per token (Ziegler et al. 2019, §2.2, equation 2; InstructGPT, §3.5). */
public final class RewardShaping {

    private RewardShaping() {}

    /**
     * The scores that count: responses without a stop token are judged by the rule.
     *
     * @param scores the reward model's, one per response
     * @param stopped whether the response ended by itself
     */
    public static double[] applyMissingStop(double[] scores, boolean[] stopped, MissingStop rule) {
        if (scores.length != stopped.length) {
            throw new IllegalArgumentException(
                    "one score per response: got " + scores.length + " scores for " + stopped.length + " responses");
        }
        double[] result = scores.clone();
        for (int i = 0; i < scores.length; i++) {
            result[i] = stopped[i] ? scores[i] : rule.apply(scores[i]);
        }
        return result;
    }

    /**
     * As {@link #applyMissingStop(double[], boolean[], MissingStop)} for rewards paid token by token: what the rule takes
     * from or gives to a response's total is paid with its last token.
     *
     * @param rewards one row per response, one entry per token
     */
    public static double[][] applyMissingStop(double[][] rewards, boolean[] stopped, MissingStop rule) {
        double[] totals = Ragged.rowSums(rewards);
        double[] counted = applyMissingStop(totals, stopped, rule);
        double[][] result = Ragged.map(rewards, reward -> reward);
        for (int i = 0; i < result.length; i++) {
            int last = lastToken(result[i], i);
            result[i][last] = counted[i] - (totals[i] - result[i][last]); // exact when all is on the last token
        }
        return result;
    }

    /** Each reward limited to [−limit, limit] (DeepSpeed-Chat: 5, OpenRLHF: 10, both of scores on the last token). */
    public static double[][] clip(double[][] rewards, double limit) {
        return Ragged.map(rewards, reward -> Math.max(-limit, Math.min(limit, reward)));
    }

    /**
     * r_t = −β·kl_t, plus the score on the response's last token, which is the stop token when there is one.
     *
     * @param scores one per response, reward units
     * @param kl K1 of each response token, nats; each row at least one token
     * @param coefficient β, reward units per nat
     */
    public static double[][] perToken(double[] scores, double[][] kl, double coefficient) {
        if (scores.length != kl.length) {
            throw new IllegalArgumentException(
                    "one score per response: got " + scores.length + " scores for " + kl.length + " responses");
        }
        double[][] rewards = Ragged.map(kl, k -> -coefficient * k);
        for (int i = 0; i < scores.length; i++) {
            rewards[i][lastToken(rewards[i], i)] += scores[i];
        }
        return rewards;
    }

    /**
     * r_t = reward_t − β·kl_t, for rewards paid token by token.
     *
     * @param tokenRewards as {@code kl} in shape, reward units
     */
    public static double[][] perToken(double[][] tokenRewards, double[][] kl, double coefficient) {
        return Ragged.combine(tokenRewards, kl, (reward, k) -> reward - coefficient * k);
    }

    /**
     * What is paid for each of a dialogue's turns, on the last token of each; other people's tokens between the turns have
     * no place here.
     *
     * @param turnRewards one row per dialogue, one entry per turn of the policy's, reward units
     * @param turnLengths tokens of each of those turns, ≥ 1, likewise
     * @return one row per dialogue, one entry per token of the policy's
     */
    public static double[][] perTurn(double[][] turnRewards, int[][] turnLengths) {
        double[][] rewards = new double[turnRewards.length][];
        for (int i = 0; i < rewards.length; i++) {
            requireTurns(turnRewards[i], turnLengths[i], i);
            rewards[i] = new double[Arrays.stream(turnLengths[i]).sum()];
            int end = 0;
            for (int turn = 0; turn < turnRewards[i].length; turn++) {
                end += turnLengths[i][turn];
                rewards[i][end - 1] = turnRewards[i][turn];
            }
        }
        return rewards;
    }

    private static void requireTurns(double[] rewards, int[] lengths, int dialogue) {
        if (rewards.length != lengths.length || Arrays.stream(lengths).anyMatch(length -> length < 1)) {
            throw new IllegalArgumentException(
                    "each turn of dialogue " + dialogue + " needs a reward and at least one" + " token, got "
                            + rewards.length + " rewards for turns of " + Arrays.toString(lengths) + " tokens");
        }
    }

    private static int lastToken(double[] row, int response) {
        if (row.length == 0) {
            throw new IllegalArgumentException(
                    "response " + response + " has no token to carry its score; a response has at least one");
        }
        return row.length - 1;
    }
}
