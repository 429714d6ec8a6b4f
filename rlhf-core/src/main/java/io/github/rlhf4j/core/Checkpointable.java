package io.github.rlhf4j.core;

import java.io.IOException;
import java.nio.file.Path;

/** Something whose whole state (parameters, optimiser moments, counters) can be written to a directory and read back. */
public interface Checkpointable {

    /**
     * Writes the state into {@code directory}, which exists and is empty. Atomicity is the caller's:
     * {@code Checkpoints.write} writes beside, syncs, and renames.
     */
    void saveState(Path directory) throws IOException;

    /**
     * Replaces the state by what {@link #saveState} wrote, to the same bits.
     *
     * @throws IOException naming the file and what is wrong with it; the state is then unchanged
     */
    void restoreState(Path directory) throws IOException;
}
