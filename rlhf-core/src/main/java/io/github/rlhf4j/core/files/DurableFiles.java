package io.github.rlhf4j.core.files;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** File operations whose effect is on the disk, not just in the page cache, when they return. */
public final class DurableFiles {

    private DurableFiles() {}

    /** Forces a file's bytes to the disk. */
    public static void sync(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
    }

    /** Forces a directory's entries to the disk, on systems where a directory can be opened (not on Windows). */
    public static void syncDirectory(Path directory) throws IOException {
        FileChannel channel;
        try {
            channel = FileChannel.open(directory, StandardOpenOption.READ);
        } catch (IOException notOpenable) {
            return; // this file system makes renames durable by itself, or not at all
        }
        try (channel) {
            channel.force(true);
        }
    }

    /** Forces all files and directories below a directory, and itself, to the disk. */
    public static void syncTree(Path directory) throws IOException {
        Files.walkFileTree(directory, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                if (attributes.isRegularFile()) {
                    sync(file);
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException e) throws IOException {
                if (e != null) {
                    throw e;
                }
                syncDirectory(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    /** Renames within one file system, replacing a file (never a directory with content), and syncs the parent. */
    public static void rename(Path from, Path to) throws IOException {
        if (Files.isDirectory(to, LinkOption.NOFOLLOW_LINKS) && !isEmptyDirectory(to)) {
            throw new DirectoryNotEmptyException(to.toString());
        }
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        Path parent = to.toAbsolutePath().getParent();
        if (parent != null) {
            syncDirectory(parent);
        }
    }

    /** Writes one file, from its first byte. */
    @FunctionalInterface
    public interface Output {

        void writeTo(Path file) throws IOException;
    }

    /** Replaces a file by new content: written beside, synced, renamed; a reader sees the old or the new, whole. */
    public static void replace(Path file, byte[] content) throws IOException {
        replace(file, beside -> Files.write(beside, content));
    }

    /** As {@link #replace(Path, byte[])}, with content that {@code output} writes to the path it is given. */
    public static void replace(Path file, Output output) throws IOException {
        Path beside = file.resolveSibling("." + file.getFileName() + ".new");
        try {
            output.writeTo(beside);
            sync(beside);
            rename(beside, file);
        } finally {
            Files.deleteIfExists(beside);
        }
    }

    /** Deletes a file, or a directory with all that is in it; links are not followed. Nothing happens when absent. */
    public static void deleteTree(Path path) throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        Files.walkFileTree(path, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException e) throws IOException {
                if (e != null) {
                    throw e;
                }
                Files.delete(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    /** All files below a directory that are not directories, links included, sorted by path. */
    public static List<Path> filesBelow(Path directory) throws IOException {
        List<Path> files = new ArrayList<>();
        Files.walkFileTree(directory, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                files.add(file);
                return FileVisitResult.CONTINUE;
            }
        });
        files.sort(null);
        return files;
    }

    public static boolean isEmptyDirectory(Path directory) throws IOException {
        try (var entries = Files.newDirectoryStream(directory)) {
            return !entries.iterator().hasNext();
        }
    }
}
