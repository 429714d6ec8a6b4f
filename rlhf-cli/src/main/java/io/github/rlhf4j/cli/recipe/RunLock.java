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
 * and ends with the program, however that ends; the file stays behind and means nothing.
 */
public final class RunLock implements AutoCloseable {

    private static final String FILE_NAME = ".lock";

    private final FileChannel channel;

    private RunLock(FileChannel channel) {
        this.channel = channel;
    }

    /** @throws InputException when another run has it */
    static RunLock of(Path directory) throws IOException {
        Files.createDirectories(directory);
        FileChannel channel =
                FileChannel.open(directory.resolve(FILE_NAME), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        if (tryLock(channel) == null) {
            channel.close();
            throw new InputException("a run is going on in " + directory + " already, and two would spoil each other's"
                    + " files; wait for its end or stop it, or name another directory with --out");
        }
        return new RunLock(channel);
    }

    /** Null when it is held, here or by another program. */
    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException heldHere) {
            return null;
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    /** Gives it up. */
    @Override
    public void close() throws IOException {
        channel.close();
    }
}
