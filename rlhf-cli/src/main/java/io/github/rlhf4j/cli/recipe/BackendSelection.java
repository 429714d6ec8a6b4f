package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.transformer.backend.ComputeBackend;

/** What a command computes on. */
public final class BackendSelection {

    private BackendSelection() {}

    /**
     * Selects a backend; with AUTO, the system property and the environment variable have a say.
     *
     * @throws InputException when it cannot be had, or property or variable name none, with the remedy
     */
    public static void select(ComputeBackend wanted) {
        try {
            if (wanted == ComputeBackend.AUTO) {
                ComputeBackend.ensureSelected();
            } else {
                ComputeBackend.select(wanted);
            }
        } catch (IllegalStateException | IllegalArgumentException e) {
            throw new InputException(String.valueOf(e.getMessage()), e);
        }
    }
}
