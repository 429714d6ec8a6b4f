package io.github.rlhf4j.benchmarks.peer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The part of a Markdown file between two marks: how it was measured, and the table. What stands around the marks stays, and
 * so do the table's lines of rows that were not measured this time.
 */
final class MarkdownReport {

    private static final String BEGIN = "<!-- peer-benchmark: begin -->";
    private static final String END = "<!-- peer-benchmark: end -->";

    private MarkdownReport() {}

    /**
     * Writes the results into a file, which is created if need be.
     *
     * @param setting machine, versions, command: one line each
     */
    static void update(Path file, List<String> setting, List<Result> results) throws IOException {
        String old = Files.exists(file) ? Files.readString(file) : BEGIN + "\n" + END + "\n";
        int begin = old.indexOf(BEGIN);
        int end = old.indexOf(END);
        if (begin < 0 || end < begin) {
            throw new IOException(file + " lacks the lines " + BEGIN + " and " + END
                    + ", between which the results go; add them where the table is to stand");
        }
        List<String> part = new ArrayList<>(List.of(BEGIN));
        setting.forEach(line -> part.add("* " + line));
        part.add("");
        part.addAll(ResultTable.markdownHead());
        part.addAll(merged(old.substring(begin, end), results));
        String text = old.substring(0, begin) + String.join("\n", part) + "\n" + old.substring(end);
        Path parent = file.toAbsolutePath().getParent();
        if (parent != null) {
            Files.createDirectories(parent);
        }
        Files.writeString(file, text);
    }

    private static List<String> merged(String oldPart, List<Result> results) {
        Map<String, String> lines = new LinkedHashMap<>();
        Rows.all().forEach(row -> lines.put(row.name(), ""));
        for (String line : oldPart.split("\n")) {
            String[] cells = line.split("\\|");
            if (cells.length > 1) {
                lines.computeIfPresent(cells[1].strip(), (name, nothing) -> line);
            }
        }
        results.forEach(result -> lines.put(result.name(), ResultTable.markdown(result)));
        return lines.values().stream().filter(line -> !line.isEmpty()).toList();
    }
}
