package io.github.rlhf4j.cli.recipe;

/** What settings are held to; each message names key, rule and value. */
final class SettingRules {

    private SettingRules() {}

    static void requireAtMost(String key, int most, int value) {
        require(value <= most, key + " must be at most " + most, value);
    }

    static void requirePositive(String section, int batch, double learningRate) {
        require(batch >= 1, section + "'s batch must be at least 1", batch);
        requireFinite(section + ".learningRate", "positive", learningRate > 0, learningRate);
    }

    static void requireFinite(String key, String rule, boolean holds, double value) {
        require(holds && Double.isFinite(value), key + " must be " + rule + " and finite", value);
    }

    static void require(boolean rule, String message, Object value) {
        if (!rule) {
            throw new IllegalArgumentException(message + ", got " + value);
        }
    }
}
