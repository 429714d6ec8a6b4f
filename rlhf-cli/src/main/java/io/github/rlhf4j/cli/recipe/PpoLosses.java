package io.github.rlhf4j.cli.recipe;

import static io.github.rlhf4j.cli.recipe.SettingRules.require;
import static io.github.rlhf4j.cli.recipe.SettingRules.requireFinite;

import io.github.rlhf4j.ppo.LossSettings;
import io.github.rlhf4j.ppo.math.Aggregation;
import io.github.rlhf4j.ppo.math.KlEstimator;
import io.github.rlhf4j.ppo.math.KlPenalty;
import org.jspecify.annotations.Nullable;

/**
 * What an update minimises, as {@link LossSettings}. The clip ranges are of every algorithm with PPO's clipped surrogate (not
 * of GSPO and CISPO, whose ratios and weights are of another kind), KL and aggregation of all policy gradients, the rest PPO's
 * alone.
 *
 * @param clipLow how far ratios may fall below 1, in (0, 1); 0 takes the algorithm's own, of PPO 0.2
 * @param clipHigh how far they may rise above 1; 0 takes the algorithm's own, of PPO 0.2, of DAPO 0.28
 * @param dualClip most that a ratio counts where the advantage is negative, above 1; 0 is none
 * @param valueClip how far values may move from where they were, reward units; 0 is off
 * @param valueCoefficient of the value loss
 * @param entropyCoefficient of the entropy, which is added to what is maximised; 0 is none
 * @param klEstimator of the KL in the loss: k2, whose gradient is KL(π‖π_ref)'s, k3, whose gradient is KL(π_ref‖π)'s, or
 *     exact, KL(π‖π_ref) over the whole vocabulary, for which the reference goes over each minibatch once more
 * @param klCoefficient of the KL in the loss, beside the one in the rewards; GRPO, whose leash is in the loss, has the sum of
 *     this and {@code ppo.klCoefficient}. 0 is none
 * @param aggregation what the loss is a mean over; null takes the algorithm's own, of PPO the tokens
 * @param valueWarmup iterations at first that train the value function alone, fewer than {@code ppo.iterations}
 */
public record PpoLosses(
        double clipLow,
        double clipHigh,
        double dualClip,
        double valueClip,
        double valueCoefficient,
        double entropyCoefficient,
        KlInLoss klEstimator,
        double klCoefficient,
        @Nullable Aggregation aggregation,
        int valueWarmup) {

    /** How the KL in the loss is known. */
    public enum KlInLoss {
        K2,
        K3,
        EXACT;

        KlPenalty penalty(double coefficient) {
            return this == EXACT
                    ? new KlPenalty.Exact(coefficient)
                    : new KlPenalty.Estimated(KlEstimator.valueOf(name()), coefficient);
        }
    }

    public PpoLosses {
        require(
                clipLow >= 0 && clipLow < 1,
                "ppo.losses.clipLow must lie in (0, 1), or be 0 for the algorithm's own",
                clipLow);
        requireFinite("ppo.losses.clipHigh", "positive, or 0 for the algorithm's own,", clipHigh >= 0, clipHigh);
        requireFinite("ppo.losses.dualClip", "above 1, or 0 for none,", dualClip == 0 || dualClip > 1, dualClip);
        requireFinite("ppo.losses.valueClip", "≥ 0 (0 is off)", valueClip >= 0, valueClip);
        requireFinite("ppo.losses.valueCoefficient", "≥ 0", valueCoefficient >= 0, valueCoefficient);
        requireFinite("ppo.losses.entropyCoefficient", "≥ 0 (0 is none)", entropyCoefficient >= 0, entropyCoefficient);
        requireFinite("ppo.losses.klCoefficient", "≥ 0 (0 is none)", klCoefficient >= 0, klCoefficient);
        require(valueWarmup >= 0, "ppo.losses.valueWarmup must be ≥ 0 (0 is off)", valueWarmup);
    }

    static PpoLosses defaults() {
        LossSettings own = LossSettings.defaults();
        return new PpoLosses(
                0,
                0,
                own.policy().dualClip(),
                own.value().clip(),
                own.valueCoefficient(),
                own.entropyCoefficient(),
                KlInLoss.K3,
                own.kl().coefficient(),
                null,
                own.valueWarmup());
    }
}
