package io.github.rlhf4j.core.data;

import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Message;
import io.github.rlhf4j.core.files.DurableFiles;
import io.github.rlhf4j.core.internal.Json;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;

/**
 * Writes JSON Lines beside the file and renames on {@link #commit}; closed without one, it leaves what was there before.
 */
final class JsonLinesWriter implements AutoCloseable {

    private static final ObjectWriter ASCII = Json.MAPPER.writer().with(JsonWriteFeature.ESCAPE_NON_ASCII);

    private final Path file;
    private final Path beside;
    private final OutputStream out;

    JsonLinesWriter(Path file) throws IOException {
        this.file = file.toAbsolutePath();
        this.beside = this.file.resolveSibling("." + file.getFileName() + ".new");
        Path parent = this.file.getParent();
        if (parent != null) {
            Files.createDirectories(parent);
        }
        OutputStream plain = new BufferedOutputStream(Files.newOutputStream(beside), 1 << 16);
        this.out = file.getFileName().toString().endsWith(".gz") ? new GZIPOutputStream(plain, 1 << 16) : plain;
    }

    /** Half a surrogate pair has no UTF-8; a line with one is written in ASCII with escapes, so that it comes back. */
    void write(JsonNode row) throws IOException {
        String line = Json.MAPPER.writeValueAsString(row);
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(line)) {
            line = ASCII.writeValueAsString(row);
        }
        out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
    }

    /** {@code [{"role": …, "content": …}, …]}. */
    static ArrayNode messages(Conversation conversation) {
        ArrayNode array = Json.MAPPER.createArrayNode();
        for (Message message : conversation.messages()) {
            array.addObject().put("role", message.role().label()).put("content", message.content());
        }
        return array;
    }

    void commit() throws IOException {
        out.close();
        DurableFiles.sync(beside);
        DurableFiles.rename(beside, file);
    }

    @Override
    public void close() throws IOException {
        try {
            out.close();
        } finally {
            Files.deleteIfExists(beside);
        }
    }
}
