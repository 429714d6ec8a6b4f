package io.github.rlhf4j.transformer.files;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.rlhf4j.transformer.files.internal.FileBytes;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * {@code model.safetensors.index.json}: {@code {"metadata": {"total_size": …}, "weight_map": {tensor: shard, …}}}. Only the
 * map is believed; the total is wrong in files that people use.
 */
final class SafetensorsIndex {

    private static final int MOST_BYTES = 100_000_000;
    private static final int MOST_TENSORS = 1_000_000;
    private static final int MOST_SHARDS = 1_000;

    /** A plain name: no separator of any system, no drive, no leading dot. */
    private static final Pattern SHARD = Pattern.compile("[^./\\\\:\\x00-\\x1f][^/\\\\:\\x00-\\x1f]*\\.safetensors");

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    private SafetensorsIndex() {}

    /** The shard of each tensor, in the order of the file. */
    static Map<String, String> read(Path index) throws IOException {
        Map<String, String> shardOf = new LinkedHashMap<>();
        try (JsonParser json = JSON.createParser(FileBytes.utf8(bytes(index)))) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new IOException(index + ": must be a JSON object with a weight_map");
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String field = json.currentName();
                if (json.nextToken() == JsonToken.START_OBJECT && field.equals("weight_map")) {
                    readMap(index, json, shardOf);
                } else {
                    json.skipChildren();
                }
            }
            if (json.nextToken() != null) {
                throw new IOException(index + ": is not JSON: something follows after its end");
            }
        } catch (CharacterCodingException e) {
            throw new IOException(index + ": is not UTF-8", e);
        } catch (JsonProcessingException e) {
            throw new IOException(index + ": is not JSON: " + e.getOriginalMessage(), e);
        }
        if (shardOf.isEmpty()) {
            throw new IOException(index + ": needs a weight_map that says which shard holds which tensor, has none");
        }
        return shardOf;
    }

    private static byte[] bytes(Path index) throws IOException {
        try (FileBytes file = FileBytes.open(index)) {
            if (file.size() > MOST_BYTES) {
                throw new IOException(index + ": may have " + MOST_BYTES + " bytes at most, it has " + file.size());
            }
            return file.read(0, (int) file.size()).array();
        }
    }

    private static void readMap(Path index, JsonParser json, Map<String, String> into) throws IOException {
        Map<String, String> shards = new HashMap<>();
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String tensor = json.currentName();
            boolean text = json.nextToken() == JsonToken.VALUE_STRING;
            String shard = json.getText();
            if (!text || !SHARD.matcher(shard).matches()) {
                throw new IOException(index + ": weight_map." + tensor
                        + " must be the name of a .safetensors file in the" + " same directory, got "
                        + (shard.length() <= 200 ? shard : shard.substring(0, 200) + "…"));
            }
            // One string per shard, not one per tensor.
            into.put(tensor, shards.computeIfAbsent(shard, name -> name));
            if (shards.size() > MOST_SHARDS || into.size() > MOST_TENSORS) {
                throw new IOException(index + ": names more than " + MOST_SHARDS + " shards or " + MOST_TENSORS
                        + " tensors, which no model has");
            }
        }
    }
}
