package io.github.rlhf4j.ppo;

import io.github.rlhf4j.ppo.math.KlController;
import io.github.rlhf4j.ppo.math.MissingStop;
import io.github.rlhf4j.ppo.math.RewardShaping;

/**
 * How scores become rewards.
 *
 * @param kl the KL coefficient β and how it moves; default adaptive from 0.15 towards 6 nats per sequence, horizon
 *     10,000 (Ziegler et al. 2019, lm-human-preferences {@code launch.py})
 * @param missingStop what an unstopped response scores; default −1 (lm-human-preferences)
 * @param scoreLimit scores are clipped to [−limit, limit]; default 0, which is off (DeepSpeed-Chat: 5)
 * @param whiten scales the rewards to unit variance, mean kept; default false
 */
public record RewardSettings(KlController kl, MissingStop missingStop, double scoreLimit, boolean whiten) {

    public RewardSettings {
        if (!(scoreLimit >= 0) || Double.isInfinite(scoreLimit)) {
            throw new IllegalArgumentException("scoreLimit must be ≥ 0 and finite (0 is off), got " + scoreLimit);
        }
    }

    public static RewardSettings defaults() {
        return new RewardSettings(KlController.Adaptive.perSequence(0.15, 6), new MissingStop.FixedScore(-1), 0, false);
    }

    /** What scores count as, token by token: clipped, and where a response did not stop by the rule for that. */
    public double[][] counted(double[][] scores, boolean[] stopped) {
        double[][] limited = scoreLimit > 0 ? RewardShaping.clip(scores, scoreLimit) : scores;
        return RewardShaping.applyMissingStop(limited, stopped, missingStop);
    }

    public RewardSettings withKl(KlController controller) {
        return new RewardSettings(controller, missingStop, scoreLimit, whiten);
    }

    public RewardSettings withMissingStop(MissingStop rule) {
        return new RewardSettings(kl, rule, scoreLimit, whiten);
    }

    public RewardSettings withScoreLimit(double limit) {
        return new RewardSettings(kl, missingStop, limit, whiten);
    }

    public RewardSettings withWhiten(boolean on) {
        return new RewardSettings(kl, missingStop, scoreLimit, on);
    }
}
