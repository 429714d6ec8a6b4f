package io.github.rlhf4j.ppo.math;

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

    /** Scores limited to [−limit, limit] (DeepSpeed-Chat: 5, OpenRLHF: 10). */
    public static double[] clip(double[] scores, double limit) {
        double[] result = scores.clone();
        for (int i = 0; i < scores.length; i++) {
            result[i] = Math.max(-limit, Math.min(limit, scores[i]));
        }
        return result;
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
            if (rewards[i].length == 0) {
                throw new IllegalArgumentException(
                        "response " + i + " has no token to carry its score; a response has at least one");
            }
            rewards[i][rewards[i].length - 1] += scores[i];
        }
        return rewards;
    }
}
