package io.github.rlhf4j.core.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What can be wrong with a file before its rows are looked at. */
class JsonRowsTest {

    @TempDir
    Path directory;

    private Path file(String content) throws IOException {
        return Files.writeString(directory.resolve("rows.jsonl"), content);
    }

    private static List<String> rows(Path file) throws IOException {
        List<String> rows = new ArrayList<>();
        JsonRows.forEach(file, row -> rows.add(row.value().toString()));
        return rows;
    }

    private static byte[] gzip(String content) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
            out.write(content.getBytes(StandardCharsets.UTF_8));
        }
        return bytes.toByteArray();
    }

    @Test
    void linesAndArraysGiveTheSameRows() throws IOException {
        List<String> expected = List.of("{\"a\":1}", "{\"a\":\"é\\n\"}");
        assertThat(rows(file("{\"a\": 1}\n{\"a\": \"é\\n\"}\n"))).isEqualTo(expected);
        assertThat(rows(file("{\"a\": 1}\r\n\r\n  \n{\"a\": \"é\\n\"}"))).isEqualTo(expected);
        assertThat(rows(file("\uFEFF{\"a\": 1}\n{\"a\": \"é\\n\"}\n"))).isEqualTo(expected);
        assertThat(rows(file(" \n[{\"a\": 1},\n {\"a\": \"é\\n\"}]\n"))).isEqualTo(expected);
        assertThat(rows(file("\uFEFF[{\"a\": 1}, {\"a\": \"é\\n\"}]"))).isEqualTo(expected);
    }

    @Test
    void gzipIsToldByItsBytes() throws IOException {
        Path file = Files.write(directory.resolve("rows.jsonl"), gzip("{\"a\":1}\n{\"b\":2}\n"));
        assertThat(rows(file)).containsExactly("{\"a\":1}", "{\"b\":2}");
    }

    @Test
    void malformedJsonNamesTheLine() throws IOException {
        assertThatThrownBy(() -> rows(file("{\"a\":1}\n\n{\"a\":\n{\"a\":3}\n")))
                .isInstanceOf(DatasetException.class)
                .hasMessageContainingAll("rows.jsonl, line 3", "not valid JSON", "correct or remove the line");
        assertThatThrownBy(() -> rows(file("{\"a\":1} {\"a\":2}\n")))
                .hasMessageContainingAll("line 1", "not valid JSON", "one whole object");
        assertThatThrownBy(() -> rows(file("{\"a\":1,\"a\":2}\n")))
                .hasMessageContainingAll("line 1", "Duplicate field");
    }

    @Test
    void malformedArraysNameTheRow() throws IOException {
        assertThatThrownBy(() -> rows(file("[{\"a\":1}, {\"a\":}]")))
                .isInstanceOf(DatasetException.class)
                .hasMessageContainingAll("rows.jsonl, row 1 of the array", "not valid JSON", "line 1");
        assertThatThrownBy(() -> rows(file("[{\"a\":1}, {\"a\":2}")))
                .hasMessageContainingAll("rows.jsonl ends inside row 2", "cut off");
        assertThatThrownBy(() -> rows(file("[{\"a\":1}]\n[]")))
                .hasMessageContainingAll("goes on after its JSON array", "line 2");
    }

    @Test
    void emptyFilesAreRefused() throws IOException {
        for (String content : List.of("", "\n \n\r\n", "[]", " [ ] ", "\uFEFF")) {
            assertThatThrownBy(() -> rows(file(content)))
                    .as("content <%s>", content)
                    .isInstanceOf(DatasetException.class)
                    .hasMessageContainingAll("rows.jsonl has no rows", "at least one");
        }
    }

    @Test
    void absentFilesAndDirectoriesAreRefused() {
        assertThatThrownBy(() -> rows(directory.resolve("absent.jsonl")))
                .isInstanceOf(DatasetException.class)
                .hasMessageContainingAll("absent.jsonl does not exist", "check the path");
        assertThatThrownBy(() -> rows(directory)).hasMessageContainingAll("is a directory", "name one file");
    }

    @Test
    void malformedUtf8NamesLineAndByte() throws IOException {
        byte[] bytes = "{\"a\":1}\n{\"a\":\"x\"}\n".getBytes(StandardCharsets.UTF_8);
        bytes[14] = (byte) 0xff;
        Path file = Files.write(directory.resolve("rows.jsonl"), bytes);
        assertThatThrownBy(() -> rows(file))
                .isInstanceOf(DatasetException.class)
                .hasMessageContainingAll("line 2", "byte 7 of the line", "not valid UTF-8", "iconv");
        byte[] array = "[{\"a\":\"x\"}]".getBytes(StandardCharsets.UTF_8);
        array[7] = (byte) 0xff;
        Path arrayFile = Files.write(directory.resolve("rows.json"), array);
        assertThatThrownBy(() -> rows(arrayFile)).hasMessageContainingAll("rows.json, row 0", "UTF-8");
    }

    @Test
    void aTornOrDamagedGzipIsRefused() throws IOException {
        byte[] whole = gzip("{\"a\":\"" + "xyz".repeat(1000) + "\"}\n");
        Path torn = Files.write(directory.resolve("torn.gz"), Arrays.copyOf(whole, whole.length - 12));
        assertThatThrownBy(() -> rows(torn))
                .isInstanceOf(DatasetException.class)
                .hasMessageContainingAll("torn.gz", "ends too early");
        whole[whole.length - 6] ^= 1;
        Path damaged = Files.write(directory.resolve("damaged.gz"), whole);
        assertThatThrownBy(() -> rows(damaged))
                .isInstanceOf(DatasetException.class)
                .hasMessageContainingAll("damaged.gz", "is damaged");
    }

    /** A few kilobytes of gzip that unfold to a line without end are refused at the limit. */
    @Test
    void aRowWithoutEndIsRefusedAtTheLimit() throws IOException {
        Path line = Files.write(directory.resolve("line.gz"), gzip("{\"a\":\"" + "x".repeat(5_000_000)));
        assertThat(Files.size(line)).isLessThan(10_000);
        assertThatThrownBy(() -> JsonRows.forEach(line, 1_000_000, row -> {}))
                .isInstanceOf(DatasetException.class)
                .hasMessageContainingAll("line.gz, line 1 is longer than 1000000 bytes");
        Path array = Files.write(
                directory.resolve("array.gz"), gzip("[{\"a\":1},{\"a\":[" + "\"xxxxxxxxxxxx\",".repeat(500_000)));
        assertThatThrownBy(() -> JsonRows.forEach(array, 1_000_000, row -> {}))
                .isInstanceOf(DatasetException.class)
                .hasMessageContainingAll("array.gz, row 1 of the array is longer than 1000000 bytes");
    }

    @Test
    void manyRowsTogetherMayExceedTheLimitOfOne() throws IOException {
        String row = "{\"a\":\"" + "x".repeat(900) + "\"}";
        Path array = file("[" + (row + ",").repeat(99) + row + "]");
        List<Row> seen = new ArrayList<>();
        JsonRows.forEach(array, 1000, seen::add);
        assertThat(seen).hasSize(100);
    }

    @Test
    void deepNestingIsRefusedNotOverflown() throws IOException {
        assertThatThrownBy(() -> rows(file("{\"a\":" + "[".repeat(100_000))))
                .isInstanceOf(DatasetException.class)
                .hasMessageContainingAll("line 1", "nesting depth");
    }
}
