package io.github.rlhf4j.cli.recipe;

import static io.github.rlhf4j.cli.recipe.SettingRules.require;

import io.github.rlhf4j.ppo.AdvantageSettings;

/**
 * How rewards become advantages, as {@link AdvantageSettings}; PPO alone, for the other algorithms are ways of doing that.
 *
 * @param gamma discount γ, in [0, 1]
 * @param lambda GAE's λ, in [0, 1]
 * @param whiten whether they are standardised over the tokens of a rollout
 * @param divisor of the variance that this brings to 1
 */
public record PpoAdvantages(double gamma, double lambda, boolean whiten, AdvantageSettings.Divisor divisor) {

    public PpoAdvantages {
        requireShare("ppo.advantages.gamma", gamma);
        requireShare("ppo.advantages.lambda", lambda);
    }

    static PpoAdvantages defaults() {
        AdvantageSettings own = AdvantageSettings.defaults();
        return new PpoAdvantages(own.gamma(), own.lambda(), own.whiten(), own.divisor());
    }

    private static void requireShare(String key, double value) {
        require(value >= 0 && value <= 1, key + " must lie in [0, 1]", value);
    }
}
