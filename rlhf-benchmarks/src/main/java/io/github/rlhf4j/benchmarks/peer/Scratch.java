package io.github.rlhf4j.benchmarks.peer;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A directory that is deleted when it is closed, or when the program is stopped.
 *
 * @param directory to be used
 * @param deletion at the end of the program
 */
record Scratch(Path directory, Thread deletion) implements AutoCloseable {

    static Scratch create() throws IOException {
        Path directory = Files.createTempDirectory("rlhf4j-peer-benchmark-");
        Thread deletion = new Thread(() -> delete(directory));
        Runtime.getRuntime().addShutdownHook(deletion);
        return new Scratch(directory, deletion);
    }

    private static void delete(Path directory) {
        try {
            MoreFiles.deleteRecursively(directory, RecursiveDeleteOption.ALLOW_INSECURE);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot delete the scratch files in " + directory, e);
        }
    }

    @Override
    public void close() {
        Runtime.getRuntime().removeShutdownHook(deletion);
        delete(directory);
    }
}
