package io.github.rlhf4j.transformer.training;

/** The check that the configuration records share. */
final class Settings {

    private Settings() {}

    static void require(boolean rule, String message, Object value) {
        if (!rule) {
            throw new IllegalArgumentException(message + ", got " + value);
        }
    }
}
