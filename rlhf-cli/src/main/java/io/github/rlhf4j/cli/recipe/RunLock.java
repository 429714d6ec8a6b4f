package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.cli.InputException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * The right to write into a run's directory, which one program has at a time. It is the operating system's lock on a file
 * and ends with the program, however that ends; the file stays behind and means nothing. On a file system that has no
 * locks there is none, and {@link #warning} says so.
 */
public final class RunLock implements AutoCloseable {

    private static final String FILE_NAME = ".lock";

    private final FileChannel channel;
    private final @Nullable String warning;

    private RunLock(FileChannel channel, @Nullable String warning) {
        this.channel = channel;
        this.warning = warning;
    }

    /** How a file is locked: null when another program has it, an {@link IOException} where there are no locks. */
    interface Locking {
        @Nullable
        FileLock tryLock(FileChannel channel) throws IOException;
    }

    /** @throws InputException when another run has it */
    static RunLock of(Path directory, Locking locking) throws IOException {
        Files.createDirectories(directory);
        FileChannel channel =
                FileChannel.open(directory.resolve(FILE_NAME), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        boolean held;
        try {
            held = isHeld(channel, locking);
        } catch (IOException noLocks) {
            return new RunLock(channel, withoutLock(directory, noLocks));
        }
        if (held) {
            channel.close();
            throw new InputException("a run is going on in " + directory + " already, and two would spoil each other's"
                    + " files; wait for its end or stop it, or name another directory with --out");
        }
        return new RunLock(channel, null);
    }

    /** Here or by another program. */
    private static boolean isHeld(FileChannel channel, Locking locking) throws IOException {
        try {
            return locking.tryLock(channel) == null;
        } catch (OverlappingFileLockException heldHere) {
            return true;
        }
    }

    private static String withoutLock(Path directory, IOException reason) {
        return "warning: the file system of " + directory + " locks no files (" + reason.getMessage() + "), so a second"
                + " run in that directory would not be noticed, and one run at a time may write there; see to it that"
                + " there is one, or name a directory on a local disk with --out";
    }

    /** That nothing is locked, with the rule and the remedy, or null when this is a lock. */
    public @Nullable String warning() {
        return warning;
    }

    /** Gives it up. */
    @Override
    public void close() throws IOException {
        channel.close();
    }
}
