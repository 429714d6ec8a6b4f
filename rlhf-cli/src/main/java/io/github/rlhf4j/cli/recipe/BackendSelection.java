package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.transformer.backend.ComputeBackend;
import io.github.rlhf4j.transformer.backend.ComputeDevice;

/** What a command computes on. */
public final class BackendSelection {

    private BackendSelection() {}

    /**
     * Selects a backend; with AUTO, the system property and the environment variable have a say.
     *
     * @return the one that computes, CPU or CUDA
     * @throws InputException when it cannot be had, or property or variable name none, with the remedy
     */
    public static ComputeBackend select(ComputeBackend wanted) {
        try {
            ComputeDevice device =
                    wanted == ComputeBackend.AUTO ? ComputeBackend.ensureSelected() : ComputeBackend.select(wanted);
            return device.backend();
        } catch (IllegalStateException | IllegalArgumentException e) {
            throw new InputException(String.valueOf(e.getMessage()), e);
        }
    }
}
