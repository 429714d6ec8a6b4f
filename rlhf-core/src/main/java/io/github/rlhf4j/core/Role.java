package io.github.rlhf4j.core;

/** Who speaks in a conversation. */
public enum Role {
    SYSTEM,
    USER,
    ASSISTANT;

    /** Lower case, as in {@code messages} files: {@code "user"}. */
    public String label() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }
}
