package io.github.rlhf4j.core.training;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A training stage as a resumable step machine. Between two steps a trainer can be saved; a new trainer built from the
 * same configuration and data and restored from that directory continues to the same bits.
 */
public interface Trainer extends AutoCloseable {

    /** Short name of the stage, used in metric paths, files and logs: {@code "pretraining"}, {@code "ppo"}. */
    String name();

    /** Steps done so far. */
    long stepsDone();

    /** Steps there are in all. */
    long totalSteps();

    default boolean finished() {
        return stepsDone() >= totalSteps();
    }

    /**
     * Does one step: one optimiser update, or for policy optimisation one rollout and the updates on it.
     *
     * @throws IllegalStateException when {@link #finished()}
     * @throws io.github.rlhf4j.core.DivergenceException with a diagnosis, when the numbers are no longer finite
     */
    StepReport step();

    /**
     * Writes a checkpoint that {@link #restore} continues from. Written beside and renamed into place: when this fails
     * (a full disk), what was there before is still there.
     *
     * @param directory the checkpoint's own directory; replaced when it exists
     */
    void save(Path directory) throws IOException;

    /**
     * Continues from a checkpoint.
     *
     * @throws IOException naming the file that is missing, torn or altered, or the setting that differs
     */
    void restore(Path directory) throws IOException;

    /** Steps until finished, or until a listener asks to stop; listeners are told of each step. */
    default RunReport run(TrainingListener... listeners) {
        return TrainingLoop.run(this, java.util.List.of(listeners));
    }

    @Override
    void close();
}
