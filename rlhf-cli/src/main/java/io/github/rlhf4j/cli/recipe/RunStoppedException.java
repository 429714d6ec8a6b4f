package io.github.rlhf4j.cli.recipe;

import java.nio.file.Path;

/** The user stopped a run; what trainers did is saved, and a stage without one begins again. */
public final class RunStoppedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final transient Path directory;

    RunStoppedException(Stage stage, long step, Path directory) {
        super("stopped in " + stage.label() + (step > 0 ? " after step " + step : "")
                + (stage.resumes()
                        ? "; all of it is saved in " + directory
                        : "; this stage begins again, the stages before it are saved in " + directory));
        this.directory = directory;
    }

    /** The run's directory, which {@code --resume} goes on from. */
    public Path directory() {
        return directory;
    }
}
