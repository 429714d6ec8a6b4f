package io.github.rlhf4j.transformer.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/**
 * The weights of a model directory as one set of tensors: {@code model.safetensors}, or the shards that
 * {@code model.safetensors.index.json} names. Where both lie there, the single file counts, as in {@code transformers}. A
 * tensor's {@link TensorInfo#begin} counts within its own shard.
 */
public final class SafetensorsSet implements TensorFile {

    /** The file of weights that are not sharded. */
    public static final String SINGLE_FILE = "model.safetensors";

    /** Which shard holds which tensor. */
    public static final String INDEX_FILE = "model.safetensors.index.json";

    private final Path path;
    private final List<SafetensorsFile> files;
    private final Map<String, SafetensorsFile> fileOf;
    private final Map<String, TensorInfo> tensors;

    private SafetensorsSet(Path path, List<SafetensorsFile> files, Map<String, SafetensorsFile> fileOf) {
        this.path = path;
        this.files = files;
        this.fileOf = fileOf;
        Map<String, TensorInfo> byName = new LinkedHashMap<>();
        fileOf.forEach((name, file) -> byName.put(name, file.tensors().get(name)));
        this.tensors = Collections.unmodifiableMap(byName);
    }

    /**
     * Opens all files of a directory's weights.
     *
     * @throws IOException naming the shard that is missing or damaged, or the tensor that index and shards do not agree on
     */
    public static SafetensorsSet open(Path directory) throws IOException {
        Path single = directory.resolve(SINGLE_FILE);
        Path index = directory.resolve(INDEX_FILE);
        if (!Files.exists(single) && !Files.exists(index)) {
            throw new IOException(directory + ": holds neither " + SINGLE_FILE + " nor " + INDEX_FILE
                    + "; copy the model's safetensors files there, or save it with safe_serialization=True");
        }
        List<SafetensorsFile> files = new ArrayList<>();
        try {
            if (Files.exists(single)) {
                files.add(Safetensors.open(single));
                Map<String, SafetensorsFile> fileOf = new LinkedHashMap<>();
                files.get(0).tensors().keySet().forEach(name -> fileOf.put(name, files.get(0)));
                return new SafetensorsSet(single, files, fileOf);
            }
            return new SafetensorsSet(index, files, openShards(directory, index, files));
        } catch (IOException | RuntimeException e) {
            closeAll(files, e);
            throw e;
        }
    }

    private static Map<String, SafetensorsFile> openShards(Path directory, Path index, List<SafetensorsFile> files)
            throws IOException {
        Map<String, String> shardOf = SafetensorsIndex.read(index);
        Map<String, SafetensorsFile> fileOf = new LinkedHashMap<>();
        for (String shard : new LinkedHashSet<>(shardOf.values())) {
            Path path = shard(directory, shard);
            if (!Files.exists(path)) {
                throw new IOException(
                        path + " is missing, but " + INDEX_FILE + " names it; copy all shards of the model");
            }
            SafetensorsFile file = Safetensors.open(path);
            files.add(file);
            for (String name : file.tensors().keySet()) {
                if (!shard.equals(shardOf.get(name))) {
                    throw new IOException(path + ": holds tensor " + name + ", which " + INDEX_FILE
                            + (shardOf.containsKey(name) ? " places in " + shardOf.get(name) : " does not name")
                            + "; index and shards are not of one model");
                }
                fileOf.put(name, file);
            }
        }
        for (Map.Entry<String, String> entry : shardOf.entrySet()) {
            if (!fileOf.containsKey(entry.getKey())) {
                throw new IOException(directory.resolve(entry.getValue()) + ": lacks tensor " + entry.getKey()
                        + ", which " + INDEX_FILE + " places there; index and shards are not of one model");
            }
        }
        return fileOf;
    }

    private static Path shard(Path directory, String name) throws IOException {
        try {
            return directory.resolve(name);
        } catch (InvalidPathException e) {
            throw new IOException(
                    directory.resolve(INDEX_FILE) + ": names a shard \"" + name
                            + "\", which is no name of a file here: " + e.getReason() + "; copy the index again",
                    e);
        }
    }

    /**
     * Writes weights as {@code transformers} does: one file when they fit into {@code mostBytes}, else shards in the order
     * given, each filled until the next tensor would exceed {@code mostBytes} (a larger tensor alone), and the index. Each
     * file is written beside its place, synced and renamed, the index last; then what an earlier model left over is deleted.
     *
     * @param directory exists
     * @param metadata free text for each header
     * @param tensors of different names, as F64, F32, F16 or BF16
     * @param mostBytes of tensors in one file, at least 1; {@code transformers} takes 5 GB
     */
    public static void write(Path directory, Map<String, String> metadata, List<WritableTensor> tensors, long mostBytes)
            throws IOException {
        new SafetensorsShards(directory, metadata).write(tensors, mostBytes);
    }

    /** {@code model.safetensors}, or the index. */
    @Override
    public Path path() {
        return path;
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return tensors;
    }

    @Override
    public void read(String name, long firstElement, float[] into, int at, int length) throws IOException {
        fileOf(name).read(name, firstElement, into, at, length);
    }

    @Override
    public void read(String name, long firstElement, double[] into, int at, int length) throws IOException {
        fileOf(name).read(name, firstElement, into, at, length);
    }

    private SafetensorsFile fileOf(String name) throws IOException {
        SafetensorsFile file = fileOf.get(require(name).name());
        if (file == null) {
            throw new IllegalStateException(name + " has a place but no file");
        }
        return file;
    }

    @Override
    public void close() throws IOException {
        IOException failure = new IOException(path + ": a shard could not be closed");
        closeAll(files, failure);
        if (failure.getSuppressed().length > 0) {
            throw failure;
        }
    }

    private static void closeAll(List<SafetensorsFile> files, Exception collected) {
        for (SafetensorsFile file : files) {
            try {
                file.close();
            } catch (IOException e) {
                collected.addSuppressed(e);
            }
        }
    }
}
