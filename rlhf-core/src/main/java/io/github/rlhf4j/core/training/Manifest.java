package io.github.rlhf4j.core.training;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.rlhf4j.core.files.DurableFiles;
import io.github.rlhf4j.core.internal.Json;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * The list of a checkpoint's files with size and SHA-256, kept in the checkpoint as {@code manifest.json}. What it says is
 * not trusted: a path in it is only ever looked up among the files that are there.
 */
final class Manifest {

    static final String FILE_NAME = "manifest.json";

    private static final String FORMAT = "rlhf4j-checkpoint/1";
    private static final long MAX_BYTES = 16L << 20;
    private static final Pattern SHA_256 = Pattern.compile("[0-9a-f]{64}");

    private final Map<String, Entry> entries;

    private record Entry(long size, String sha256) {}

    private Manifest(Map<String, Entry> entries) {
        this.entries = entries;
    }

    /** Sums up what is in a directory. */
    static Manifest of(Path directory) throws IOException {
        Map<String, Entry> entries = new TreeMap<>();
        for (Path file : DurableFiles.filesBelow(directory)) {
            if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
                throw new IOException(file + " is a link or a device; a checkpoint holds regular files only");
            }
            entries.put(relative(directory, file), new Entry(Files.size(file), sha256(file)));
        }
        if (entries.containsKey(FILE_NAME)) {
            throw new IOException("a checkpoint's writer must not write " + FILE_NAME + "; the name is the manifest's");
        }
        return new Manifest(entries);
    }

    void writeTo(Path directory) throws IOException {
        ObjectNode root = Json.object();
        root.put("format", FORMAT);
        ObjectNode files = root.putObject("files");
        entries.forEach(
                (path, entry) -> files.putObject(path).put("size", entry.size()).put("sha256", entry.sha256()));
        Json.writePretty(directory.resolve(FILE_NAME), root);
    }

    static Manifest read(Path directory) throws IOException {
        Path file = directory.resolve(FILE_NAME);
        ObjectNode root = Json.readObject(file, MAX_BYTES);
        String format = root.path("format").asText("");
        if (!format.equals(FORMAT)) {
            throw new IOException(file + " has format \"" + format + "\"; this version reads \"" + FORMAT + "\"");
        }
        JsonNode files = root.path("files");
        if (!files.isObject()) {
            throw new IOException(file + " needs an object \"files\", has " + Json.kind(files));
        }
        Map<String, Entry> entries = new TreeMap<>();
        for (Map.Entry<String, JsonNode> field : files.properties()) {
            entries.put(checkPath(file, field.getKey()), entry(file, field.getKey(), field.getValue()));
        }
        return new Manifest(entries);
    }

    private static String checkPath(Path manifest, String path) throws IOException {
        for (String part : path.split("/", -1)) {
            if (part.isEmpty() || part.equals(".") || part.equals("..") || part.contains("\\") || part.contains(":")) {
                throw new IOException(manifest + " lists \"" + path
                        + "\"; a path in it must be relative and stay inside the checkpoint. It was not written by"
                        + " this library; do not use the checkpoint.");
            }
        }
        return path;
    }

    private static Entry entry(Path manifest, String path, JsonNode node) throws IOException {
        JsonNode size = node.path("size");
        String sha256 = node.path("sha256").asText("");
        if (!size.isIntegralNumber()
                || !size.canConvertToLong()
                || size.longValue() < 0
                || !SHA_256.matcher(sha256).matches()) {
            throw new IOException(manifest + ": the entry of \"" + path
                    + "\" needs a \"size\" in bytes ≥ 0 and a \"sha256\" of 64 hexadecimal digits, got " + node);
        }
        return new Entry(size.longValue(), sha256);
    }

    /**
     * Compares a directory with this manifest.
     *
     * @throws IOException naming the first file that is missing, torn, altered or foreign
     */
    void check(Path directory) throws IOException {
        Map<String, Path> unlisted = checkListed(directory);
        if (!unlisted.isEmpty()) {
            throw damaged(
                    directory,
                    unlisted.keySet().iterator().next(),
                    "is not in its manifest; move it out of the checkpoint's directory");
        }
    }

    /**
     * Compares the files that this manifest lists with those of a directory.
     *
     * @return the files that are there and not listed, by path
     * @throws IOException naming the first file that is missing, torn or altered
     */
    Map<String, Path> checkListed(Path directory) throws IOException {
        Map<String, Path> present = new TreeMap<>();
        for (Path file : DurableFiles.filesBelow(directory)) {
            present.put(relative(directory, file), file);
        }
        present.remove(FILE_NAME);
        for (Map.Entry<String, Entry> expected : entries.entrySet()) {
            checkFile(directory, expected.getKey(), expected.getValue(), present.remove(expected.getKey()));
        }
        return present;
    }

    private static void checkFile(
            Path directory, String path, Entry entry, @org.jspecify.annotations.Nullable Path file) throws IOException {
        if (file == null) {
            throw damaged(directory, path, "is missing");
        }
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            throw damaged(directory, path, "is not a regular file");
        }
        long size = Files.size(file);
        if (size != entry.size()) {
            String verb = size < entry.size() ? "is torn" : "was altered";
            throw damaged(directory, path, verb + ": it has " + size + " bytes, the manifest says " + entry.size());
        }
        if (!sha256(file).equals(entry.sha256())) {
            throw damaged(directory, path, "was altered: its SHA-256 differs from the manifest's");
        }
    }

    private static IOException damaged(Path directory, String path, String problem) {
        return new IOException("checkpoint " + directory + " cannot be used: its file " + path + " " + problem
                + ". Continue from another checkpoint, or restore this one from a backup.");
    }

    private static String relative(Path directory, Path file) {
        return directory
                .relativize(file)
                .toString()
                .replace(file.getFileSystem().getSeparator(), "/");
    }

    private static String sha256(Path file) throws IOException {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
        byte[] buffer = new byte[1 << 16];
        try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                digest.update(buffer, 0, n);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
