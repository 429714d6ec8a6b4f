package io.github.rlhf4j.transformer.files;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.rlhf4j.core.files.DurableFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Weights cut into files. See {@link SafetensorsSet#write}.
 *
 * @param directory where they go
 * @param metadata of each header
 */
record SafetensorsShards(Path directory, Map<String, String> metadata) {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern SHARD = Pattern.compile("model-\\d{5}-of-\\d{5}\\.safetensors");
    private static final int MOST_SHARDS = 99_999;

    void write(List<WritableTensor> tensors, long mostBytes) throws IOException {
        if (mostBytes < 1) {
            throw new IllegalArgumentException(
                    "a file must hold at least 1 byte of tensors, asked for were " + mostBytes);
        }
        requireDifferentNames(tensors);
        List<List<WritableTensor>> shards = cut(tensors, mostBytes);
        Set<String> written = new HashSet<>();
        if (shards.size() == 1) {
            replace(SafetensorsSet.SINGLE_FILE, shards.get(0), written);
        } else {
            writeShards(shards, written);
        }
        deleteAllBut(written);
    }

    private static void requireDifferentNames(List<WritableTensor> tensors) {
        Set<String> names = new HashSet<>();
        for (WritableTensor tensor : tensors) {
            if (!names.add(tensor.name())) {
                throw new IllegalArgumentException("two tensors are named " + tensor.name());
            }
        }
    }

    /** A tensor larger than a file may be stands alone, and does not end the file that is being filled. */
    private static List<List<WritableTensor>> cut(List<WritableTensor> tensors, long mostBytes) {
        List<List<WritableTensor>> shards = new ArrayList<>();
        List<WritableTensor> filling = new ArrayList<>();
        long filled = 0;
        for (WritableTensor tensor : tensors) {
            if (tensor.bytes() > mostBytes) {
                shards.add(List.of(tensor));
                continue;
            }
            if (tensor.bytes() > mostBytes - filled) {
                shards.add(filling);
                filling = new ArrayList<>();
                filled = 0;
            }
            filling.add(tensor);
            filled += tensor.bytes();
        }
        if (!filling.isEmpty() || shards.isEmpty()) {
            shards.add(filling);
        }
        if (shards.size() > MOST_SHARDS) {
            throw new IllegalArgumentException(
                    mostBytes + " bytes a file make " + shards.size() + " files; " + MOST_SHARDS + " can be numbered");
        }
        return shards;
    }

    private void writeShards(List<List<WritableTensor>> shards, Set<String> written) throws IOException {
        Map<String, String> shardOf = new TreeMap<>();
        long bytes = 0;
        long parameters = 0;
        for (int i = 0; i < shards.size(); i++) {
            String name = "model-%05d-of-%05d.safetensors".formatted(i + 1, shards.size());
            replace(name, shards.get(i), written);
            for (WritableTensor tensor : shards.get(i)) {
                shardOf.put(tensor.name(), name);
                bytes += tensor.bytes();
                parameters += tensor.length();
            }
        }
        ObjectNode index = JSON.createObjectNode();
        index.putObject("metadata").put("total_parameters", parameters).put("total_size", bytes);
        ObjectNode map = index.putObject("weight_map");
        shardOf.forEach(map::put);
        byte[] json = (index.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8);
        DurableFiles.replace(directory.resolve(SafetensorsSet.INDEX_FILE), json);
        written.add(SafetensorsSet.INDEX_FILE);
    }

    private void replace(String name, List<WritableTensor> tensors, Set<String> written) throws IOException {
        DurableFiles.replace(directory.resolve(name), file -> Safetensors.writeTensors(file, metadata, tensors));
        written.add(name);
    }

    /** Left over by an earlier model: a reader must not find a single file beside the shards that replaced it. */
    private void deleteAllBut(Set<String> written) throws IOException {
        try (var entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                String name = entry.getFileName().toString();
                boolean weights = name.equals(SafetensorsSet.SINGLE_FILE)
                        || name.equals(SafetensorsSet.INDEX_FILE)
                        || SHARD.matcher(name).matches();
                if (weights && !written.contains(name)) {
                    Files.delete(entry);
                }
            }
        }
    }
}
