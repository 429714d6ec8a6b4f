package io.github.rlhf4j.ppo;

import io.github.rlhf4j.ppo.math.KlController;
import io.github.rlhf4j.ppo.math.MissingStop;
import io.github.rlhf4j.ppo.math.RewardShaping;
import io.github.rlhf4j.ppo.math.RunningMoments;
import io.github.rlhf4j.ppo.math.Whitening;

/**
 * How scores become rewards: scaled, then clipped, then judged by the missing-stop rule, then less the KL.
 *
 * @param kl the KL coefficient β and how it moves; default adaptive from 0.15 towards 6 nats per sequence, horizon
 *     10,000 (Ziegler et al. 2019, lm-human-preferences {@code launch.py})
 * @param missingStop what an unstopped response scores; default −1 (lm-human-preferences)
 * @param scoreLimit scores are clipped to [−limit, limit]; default 0, which is off (DeepSpeed-Chat: 5)
 * @param whiten scales the rewards, KL included, to unit variance within each rollout, mean kept; default false
 * @param scaling of the scores by those of the whole run; default none
 */
public record RewardSettings(
        KlController kl, MissingStop missingStop, double scoreLimit, boolean whiten, Scaling scaling) {

    /**
     * What scores are divided by before anything else happens to them; limits, fixed scores and penalties are then in standard
     * deviations, and a reward model of another scale needs no other β. Moments are of one score per response, over all rollouts
     * so far and this one, before clipping, with divisor n (trlx and TRL 0.7.11 take n − 1).
     */
    public enum Scaling {
        /** Nothing: scores are as the reward model gives them. */
        NONE,
        /** Their running standard deviation (trlx {@code scale_reward = "running"}, TRL 0.7.11 {@code use_score_scaling}). */
        RUNNING_DEVIATION,
        /** The same after their running mean is taken off (TRL 0.7.11 {@code use_score_scaling} with {@code use_score_norm}). */
        RUNNING_STANDARDIZED
    }

    public RewardSettings {
        if (!(scoreLimit >= 0) || Double.isInfinite(scoreLimit)) {
            throw new IllegalArgumentException("scoreLimit must be ≥ 0 and finite (0 is off), got " + scoreLimit);
        }
    }

    /** Without scaling. */
    public RewardSettings(KlController kl, MissingStop missingStop, double scoreLimit, boolean whiten) {
        this(kl, missingStop, scoreLimit, whiten, Scaling.NONE);
    }

    public static RewardSettings defaults() {
        return new RewardSettings(KlController.Adaptive.perSequence(0.15, 6), new MissingStop.FixedScore(-1), 0, false);
    }

    /**
     * What scores count as, token by token, the KL not among it.
     *
     * @param scores the reward model's, one row per response
     * @param stopped whether each response ended by itself
     * @param moments of the scores of the run, these among them
     */
    public double[][] counted(double[][] scores, boolean[] stopped, RunningMoments moments) {
        double[][] scaled =
                switch (scaling) {
                    case NONE -> scores;
                    case RUNNING_DEVIATION -> moments.scale(scores);
                    case RUNNING_STANDARDIZED -> moments.standardize(scores);
                };
        double[][] limited = scoreLimit > 0 ? RewardShaping.clip(scaled, scoreLimit) : scaled;
        return RewardShaping.applyMissingStop(limited, stopped, missingStop);
    }

    /** The rewards of a rollout's tokens, the KL among them, as these settings whiten them, or as they are. */
    public double[][] whitened(double[][] rewards) {
        return whiten ? Whitening.scaleToUnitVariance(rewards) : rewards;
    }

    public RewardSettings withKl(KlController controller) {
        return new RewardSettings(controller, missingStop, scoreLimit, whiten, scaling);
    }

    public RewardSettings withMissingStop(MissingStop rule) {
        return new RewardSettings(kl, rule, scoreLimit, whiten, scaling);
    }

    public RewardSettings withScoreLimit(double limit) {
        return new RewardSettings(kl, missingStop, limit, whiten, scaling);
    }

    public RewardSettings withWhiten(boolean on) {
        return new RewardSettings(kl, missingStop, scoreLimit, on, scaling);
    }

    public RewardSettings withScaling(Scaling divisor) {
        return new RewardSettings(kl, missingStop, scoreLimit, whiten, divisor);
    }
}
