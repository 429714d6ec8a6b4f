package io.github.rlhf4j.benchmarks.peer;

import java.util.ArrayList;
import java.util.List;

/** Results as text, for people and for Markdown. */
final class ResultTable {

    private static final List<String> COLUMNS =
            List.of("row", "work", "ours", "peer", "ours ÷ peer (min–max)", "goal", "", "note");

    private ResultTable() {}

    /** Columns padded to the widest cell; the work, which is long, is left out. */
    static String console(List<Result> results) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(withoutWork(COLUMNS));
        results.forEach(result -> rows.add(withoutWork(cells(result))));
        int[] widths = new int[rows.get(0).size()];
        for (List<String> row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        StringBuilder text = new StringBuilder();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                line.append(row.get(i)).append(" ".repeat(widths[i] - row.get(i).length() + 2));
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }

    /** The result on one line, such as {@code 412 ms, peer 580 ms, ratio 0.71 (0.69–0.74), met; eager 590 ms}. */
    static String sentence(Result result) {
        List<String> parts = new ArrayList<>();
        if (!result.ours().isEmpty()) {
            parts.add(result.ours() + ", peer " + result.peer() + ", ratio " + result.ratio());
        }
        parts.add(result.verdict().toString());
        parts.add(result.note());
        return String.join("; ", parts.stream().filter(part -> !part.isEmpty()).toList());
    }

    private static List<String> withoutWork(List<String> cells) {
        List<String> fewer = new ArrayList<>(cells);
        fewer.remove(1);
        return fewer;
    }

    /** The two first lines of a Markdown table. */
    static List<String> markdownHead() {
        return List.of(line(COLUMNS), "|" + " --- |".repeat(COLUMNS.size()));
    }

    /** A line of a Markdown table. */
    static String markdown(Result result) {
        return line(cells(result));
    }

    private static String line(List<String> cells) {
        return "| " + String.join(" | ", cells.stream().map(ResultTable::escape).toList()) + " |";
    }

    private static String escape(String cell) {
        return cell.replace("|", "\\|").replace("\n", " ");
    }

    private static List<String> cells(Result result) {
        return List.of(
                result.name(),
                result.work(),
                result.ours(),
                result.peer(),
                result.ratio(),
                result.goal(),
                result.verdict().toString(),
                result.note());
    }
}
