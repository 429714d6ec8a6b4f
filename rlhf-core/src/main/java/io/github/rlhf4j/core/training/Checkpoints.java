package io.github.rlhf4j.core.training;

import io.github.rlhf4j.core.files.DurableFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checkpoint directories that are whole or not there. One process writes a checkpoint at a time.
 *
 * <p>{@link #write} fills the hidden sibling {@code .name.new}, adds the manifest, forces all of it to the disk, renames
 * what was there before to {@code .name.old}, renames the new one into place and deletes the old. At each moment one of
 * {@code name}, {@code .name.new} and {@code .name.old} is a whole checkpoint, and {@link #recover} finds it.
 */
public final class Checkpoints {

    private static final Logger LOG = LoggerFactory.getLogger(Checkpoints.class);

    private Checkpoints() {}

    /** Writes the content of a checkpoint. */
    @FunctionalInterface
    public interface Writer {

        /** Writes files (any but {@code manifest.json}), also in subdirectories, into a directory that is empty. */
        void writeTo(Path emptyDirectory) throws IOException;
    }

    /**
     * Writes a checkpoint, replacing the one that is there.
     *
     * @param directory the checkpoint's own directory; its parents are made as needed
     * @throws IOException when the writer fails (a full disk), or the directory holds something that is no checkpoint;
     *     what was there before is then still there, and nothing else is left behind
     */
    public static void write(Path directory, Writer writer) throws IOException {
        Path target = directory.toAbsolutePath().normalize();
        recover(target);
        requireReplaceable(target);
        stage(target, writer);
        try {
            retire(target);
            publish(target);
        } catch (IOException | RuntimeException e) {
            putBack(target, e);
            throw e;
        }
        cleanUp(target);
    }

    /**
     * Checks that a directory is a whole checkpoint, bit by bit as it was written. A write that was cut off between its
     * renames is completed first.
     *
     * @throws IOException naming the file that is missing, torn, altered or foreign
     */
    public static void verify(Path directory) throws IOException {
        Path target = requireComplete(directory);
        Manifest.read(target).check(target);
    }

    /**
     * As {@link #verify}, for a directory where people may put files of their own (a finished model, beside which a
     * {@code README.md} does no harm): what was written must be as it was, and what else is there is left alone.
     *
     * @throws IOException naming the file that is missing, torn or altered
     */
    public static void verifyWritten(Path directory) throws IOException {
        Path target = requireComplete(directory);
        Manifest.read(target).checkListed(target);
    }

    private static Path requireComplete(Path directory) throws IOException {
        Path target = directory.toAbsolutePath().normalize();
        recover(target);
        if (!Files.isDirectory(target)) {
            throw new NoSuchFileException(
                    target.toString(), null, "there is no such checkpoint directory; check the path");
        }
        if (!isComplete(target)) {
            throw new NoSuchFileException(
                    target.resolve(Manifest.FILE_NAME).toString(),
                    null,
                    "the file is missing, so this directory is not a checkpoint, or not a whole one");
        }
        return target;
    }

    /** Whether a directory has a manifest; content is not looked at. */
    static boolean isComplete(Path directory) {
        return Files.isRegularFile(directory.resolve(Manifest.FILE_NAME), LinkOption.NOFOLLOW_LINKS);
    }

    /** Deletes a checkpoint such that, cut off at any moment, no part of it can be taken for the whole. */
    static void delete(Path directory) throws IOException {
        Path doomed = hidden(directory.toAbsolutePath().normalize(), "deleted");
        DurableFiles.deleteTree(doomed);
        if (Files.exists(directory)) {
            DurableFiles.rename(directory, doomed);
        }
        DurableFiles.deleteTree(doomed);
    }

    // The four steps of a write, each of which leaves a state that `recover` understands.

    static void stage(Path target, Writer writer) throws IOException {
        Path fresh = hidden(target, "new");
        DurableFiles.deleteTree(fresh);
        try {
            Files.createDirectories(fresh);
            writer.writeTo(fresh);
            Manifest.of(fresh).writeTo(fresh);
            DurableFiles.syncTree(fresh);
        } catch (IOException | RuntimeException | Error e) {
            deleteQuietly(fresh, e);
            throw e;
        }
    }

    static void retire(Path target) throws IOException {
        DurableFiles.deleteTree(hidden(target, "old"));
        if (Files.exists(target)) {
            DurableFiles.rename(target, hidden(target, "old"));
        }
    }

    static void publish(Path target) throws IOException {
        DurableFiles.rename(hidden(target, "new"), target);
    }

    private static void cleanUp(Path target) {
        Path old = hidden(target, "old");
        try {
            DurableFiles.deleteTree(old);
        } catch (IOException e) {
            LOG.warn(
                    "checkpoint {} is written, but its predecessor {} could not be deleted; delete it", target, old, e);
        }
    }

    /**
     * Completes or undoes the renames of a write that was cut off between them; does nothing when the directory is there
     * or no write was under way.
     */
    static void recover(Path target) throws IOException {
        Path old = hidden(target, "old");
        if (Files.exists(target) || !Files.exists(old)) {
            return;
        }
        Path fresh = hidden(target, "new");
        Path whole = isWhole(fresh) ? fresh : old;
        LOG.warn("a write of checkpoint {} was cut off; recovering it from {}", target, whole);
        DurableFiles.rename(whole, target);
    }

    private static boolean isWhole(Path directory) {
        try {
            Manifest.read(directory).check(directory);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static void requireReplaceable(Path target) throws IOException {
        if (!Files.exists(target) || isComplete(target)) {
            return;
        }
        if (!Files.isDirectory(target) || !DurableFiles.isEmptyDirectory(target)) {
            throw new IOException(target + " exists and is not a checkpoint (it has no " + Manifest.FILE_NAME
                    + "), so it is not replaced; choose another directory, or delete it yourself");
        }
    }

    private static void putBack(Path target, Exception cause) {
        Path old = hidden(target, "old");
        try {
            if (!Files.exists(target) && Files.exists(old)) {
                DurableFiles.rename(old, target);
            }
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
        deleteQuietly(hidden(target, "new"), cause);
    }

    private static void deleteQuietly(Path path, Throwable cause) {
        try {
            DurableFiles.deleteTree(path);
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
    }

    static Path hidden(Path target, String suffix) {
        return target.resolveSibling("." + target.getFileName() + "." + suffix);
    }
}
