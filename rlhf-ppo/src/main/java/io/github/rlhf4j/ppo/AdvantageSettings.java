package io.github.rlhf4j.ppo;

/**
 * How rewards become advantages.
 *
 * @param gamma discount γ; default 1 (InstructGPT, appendix C.4)
 * @param lambda GAE's λ; default 0.95 (lm-human-preferences; Schulman et al. 2016)
 * @param whiten standardises the advantages over all tokens of the rollout; default true (lm-human-preferences)
 */
public record AdvantageSettings(double gamma, double lambda, boolean whiten) {

    public AdvantageSettings {
        requireUnit("gamma", gamma);
        requireUnit("lambda", lambda);
    }

    public static AdvantageSettings defaults() {
        return new AdvantageSettings(1, 0.95, true);
    }

    public AdvantageSettings withGamma(double discount) {
        return new AdvantageSettings(discount, lambda, whiten);
    }

    public AdvantageSettings withLambda(double newLambda) {
        return new AdvantageSettings(gamma, newLambda, whiten);
    }

    public AdvantageSettings withWhiten(boolean on) {
        return new AdvantageSettings(gamma, lambda, on);
    }

    private static void requireUnit(String name, double value) {
        if (!(value >= 0 && value <= 1)) {
            throw new IllegalArgumentException(name + " must lie in [0, 1], got " + value);
        }
    }
}
