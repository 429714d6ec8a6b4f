package io.github.rlhf4j.cli.recipe;

import static io.github.rlhf4j.cli.recipe.SettingRules.require;
import static io.github.rlhf4j.cli.recipe.SettingRules.requireFinite;

import io.github.rlhf4j.ppo.math.RolloutCorrection;

/**
 * What makes up for rollouts that {@code ppo.int8Sampler} draws, and not the policy itself; without that setting there is
 * nothing to correct. Online DPO needs none.
 *
 * @param rule how importance weights are bounded, by token or by sequence
 * @param low least weight that is kept, in (0, 1], where weights are masked
 * @param high most that a weight may be, ≥ 1
 */
public record PpoCorrection(Rule rule, double low, double high) {

    /** The corrections that there are. */
    public enum Rule {
        /** {@link RolloutCorrection.TokenTruncated}. */
        TOKEN_TRUNCATED,
        /** {@link RolloutCorrection.SequenceTruncated}. */
        SEQUENCE_TRUNCATED,
        /** {@link RolloutCorrection.TokenMasked}. */
        TOKEN_MASKED,
        /** {@link RolloutCorrection.SequenceMasked}. */
        SEQUENCE_MASKED
    }

    public PpoCorrection {
        require(low > 0 && low <= 1, "ppo.correction.low must lie in (0, 1]", low);
        requireFinite("ppo.correction.high", "≥ 1", high >= 1, high);
    }

    /** Weights truncated at 2 by token (Yao et al. 2025). */
    static PpoCorrection defaults() {
        return new PpoCorrection(Rule.TOKEN_TRUNCATED, 0.5, 2);
    }

    RolloutCorrection weights() {
        return switch (rule) {
            case TOKEN_TRUNCATED -> new RolloutCorrection.TokenTruncated(high);
            case SEQUENCE_TRUNCATED -> new RolloutCorrection.SequenceTruncated(high);
            case TOKEN_MASKED -> new RolloutCorrection.TokenMasked(low, high);
            case SEQUENCE_MASKED -> new RolloutCorrection.SequenceMasked(low, high);
        };
    }
}
