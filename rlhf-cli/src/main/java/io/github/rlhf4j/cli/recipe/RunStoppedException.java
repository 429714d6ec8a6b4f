package io.github.rlhf4j.cli.recipe;

import java.nio.file.Path;

/** The user stopped a run; all that was done is saved. */
public final class RunStoppedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final transient Path directory;

    RunStoppedException(Stage stage, long step, Path directory) {
        super("stopped in " + stage.label() + (step > 0 ? " after step " + step : "") + "; all of it is saved in "
                + directory);
        this.directory = directory;
    }

    /** The run's directory, which {@code --resume} goes on from. */
    public Path directory() {
        return directory;
    }
}
