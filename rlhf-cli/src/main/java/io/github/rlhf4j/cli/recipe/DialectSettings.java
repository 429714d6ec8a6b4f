package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.ppo.Dialect;
import io.github.rlhf4j.ppo.LossSettings;
import io.github.rlhf4j.ppo.RewardSettings;
import io.github.rlhf4j.ppo.math.ClippedPolicyLoss;
import io.github.rlhf4j.ppo.math.KlController;
import io.github.rlhf4j.ppo.math.KlPenalty;
import io.github.rlhf4j.ppo.math.MissingStop;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A {@link Dialect} as settings of the section {@code ppo}, which a run has in place of the defaults. Where a dialect's loss is
 * PPO's own it says nothing, so that algorithms with one of their own keep it.
 */
final class DialectSettings {

    private final Map<String, String> settings = new LinkedHashMap<>();

    private DialectSettings() {}

    /** Values as YAML by key, such as {@code ppo.klCoefficient}. */
    static Map<String, String> of(Dialect dialect) {
        DialectSettings all = new DialectSettings();
        all.leash(dialect.rewards().kl());
        all.rewards(dialect.rewards());
        all.put("advantages.gamma", dialect.advantages().gamma());
        all.put("advantages.lambda", dialect.advantages().lambda());
        all.put("advantages.whiten", dialect.advantages().whiten());
        all.put("advantages.divisor", dialect.advantages().divisor());
        all.losses(dialect.losses());
        return all.settings;
    }

    private void put(String key, Object value) {
        settings.put("ppo." + key, value.toString());
    }

    private void leash(KlController kl) {
        put("klCoefficient", kl.initialCoefficient());
        put("klUnit", kl.unit());
        put("klTarget", 0);
        if (kl instanceof KlController.Adaptive adaptive) {
            put("klController", RecipeConfig.Ppo.KlRule.ADAPTIVE);
            put("klTarget", adaptive.target());
            put("klHorizon", adaptive.horizon());
        } else if (kl instanceof KlController.HalvingDoubling halving) {
            put("klController", RecipeConfig.Ppo.KlRule.HALVING_DOUBLING);
            put("klTarget", halving.target());
        }
    }

    private void rewards(RewardSettings rewards) {
        if (rewards.missingStop() instanceof MissingStop.FixedScore fixed) {
            put("rewards.missingStop", PpoRewards.MissingStopRule.REPLACE);
            put("missingStopScore", fixed.score());
        } else if (rewards.missingStop() instanceof MissingStop.Penalty penalty) {
            put("rewards.missingStop", PpoRewards.MissingStopRule.ADD);
            put("missingStopScore", -penalty.penalty());
        } else {
            put("rewards.missingStop", PpoRewards.MissingStopRule.KEEP);
        }
        put("rewards.scoreLimit", rewards.scoreLimit());
        put("rewards.whiten", rewards.whiten());
        put("rewards.scaling", rewards.scaling());
    }

    private void losses(LossSettings losses) {
        LossSettings own = LossSettings.defaults();
        ClippedPolicyLoss policy = losses.policy();
        if (policy.clipLow() != own.policy().clipLow()
                || policy.clipHigh() != own.policy().clipHigh()) {
            put("losses.clipLow", policy.clipLow());
            put("losses.clipHigh", policy.clipHigh());
        }
        put("losses.dualClip", policy.dualClip());
        put("losses.valueClip", losses.value().clip());
        put("losses.valueCoefficient", losses.valueCoefficient());
        put("losses.entropyCoefficient", losses.entropyCoefficient());
        KlPenalty.Estimated kl = (KlPenalty.Estimated) losses.kl(); // no dialect has an exact one in the loss
        put("losses.klEstimator", kl.estimator());
        put("losses.klCoefficient", kl.coefficient());
        if (losses.aggregation() != own.aggregation()) {
            put("losses.aggregation", losses.aggregation());
        }
        put("losses.valueWarmup", losses.valueWarmup());
        put("ptxCoefficient", losses.ptxCoefficient());
    }
}
