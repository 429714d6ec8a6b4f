package io.github.rlhf4j.cli.recipe;

import static io.github.rlhf4j.cli.recipe.SettingRules.requireFinite;

import io.github.rlhf4j.ppo.RewardSettings;

/**
 * How scores become rewards, the KL aside; as {@link RewardSettings}. Online DPO, which only compares scores, has {@code
 * missingStop} of it.
 *
 * @param missingStop what {@code ppo.missingStopScore} is to an answer that does not end in time
 * @param scoreLimit scores are clipped to [−limit, limit]; 0 is off
 * @param whiten whether rewards are scaled to unit variance within each rollout; PPO alone
 * @param scaling of scores by those of the run so far, before they are clipped
 */
public record PpoRewards(
        MissingStopRule missingStop, double scoreLimit, boolean whiten, RewardSettings.Scaling scaling) {

    /** What becomes of the score of an answer that does not end in time. */
    public enum MissingStopRule {
        /** It is {@code ppo.missingStopScore}. */
        REPLACE,
        /** {@code ppo.missingStopScore} is added to it: negative, what TRL subtracts as {@code missing_eos_penalty}. */
        ADD,
        /** It stays. */
        KEEP
    }

    public PpoRewards {
        requireFinite("ppo.rewards.scoreLimit", "≥ 0 (0 is off)", scoreLimit >= 0, scoreLimit);
    }

    static PpoRewards defaults() {
        return new PpoRewards(MissingStopRule.REPLACE, 0, false, RewardSettings.Scaling.NONE);
    }
}
