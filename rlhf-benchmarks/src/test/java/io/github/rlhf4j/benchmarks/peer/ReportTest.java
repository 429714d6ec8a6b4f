package io.github.rlhf4j.benchmarks.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The table, on the console and in Markdown. */
class ReportTest {

    private static final Row SFT = Rows.named(List.of("sft")).get(0);
    private static final Row DPO = Rows.named(List.of("dpo")).get(0);

    @TempDir
    Path directory = Path.of("");

    private static Result sft(double ratio) {
        return Result.measured(SFT, "60 ms", "100 ms", new Ratio(ratio, ratio, ratio), "a | b");
    }

    @Test
    void aRowMeetsItsGoalOrMissesIt() {
        assertThat(sft(0.6).verdict()).isEqualTo(Result.Verdict.MET);
        assertThat(sft(0.7).verdict()).isEqualTo(Result.Verdict.MISSED);
        assertThat(sft(0.6).missed("too far from the peak").verdict()).isEqualTo(Result.Verdict.MISSED);
        assertThat(sft(0.6).missed("too far").note()).isEqualTo("a | b; too far");
        assertThat(Result.measured(new GemmRow(), "1", "1", new Ratio(1, 1, 1), "")
                        .verdict())
                .isEqualTo(Result.Verdict.NO_GOAL);
    }

    @Test
    void theConsoleTableIsAligned() {
        List<String> lines = ResultTable.console(
                        List.of(sft(0.6), Result.without(DPO, Result.Verdict.FAILED, "no peer")))
                .lines()
                .toList();
        assertThat(lines).hasSize(3);
        int column = lines.get(0).indexOf("peer");
        assertThat(lines.get(1).substring(column)).startsWith("100 ms");
        assertThat(lines.get(2)).contains("failed");
    }

    @Test
    void aResultIsOneSentence() {
        assertThat(ResultTable.sentence(sft(0.6))).isEqualTo("60 ms, peer 100 ms, ratio 0.60 (0.60–0.60); met; a | b");
    }

    @Test
    void markdownKeepsWhatItDidNotMeasure() throws IOException {
        Path file = directory.resolve("docs/benchmarks.md");
        MarkdownReport.update(file, List.of("Machine: old"), List.of(Result.without(DPO, Result.Verdict.FAILED, "")));
        Files.writeString(file, "# Title\n" + Files.readString(file) + "after\n");
        MarkdownReport.update(file, List.of("Machine: new"), List.of(sft(0.6)));
        MarkdownReport.update(file, List.of("Machine: new"), List.of(sft(0.5)));
        List<String> lines = Files.readAllLines(file);
        assertThat(lines).startsWith("# Title").endsWith("after").contains("* Machine: new");
        assertThat(lines).doesNotContain("* Machine: old");
        assertThat(lines.stream().filter(line -> line.startsWith("| sft |")))
                .singleElement()
                .asString()
                .contains("0.50", "≤ 0.60", "met", "a \\| b");
        assertThat(lines.stream().filter(line -> line.startsWith("| dpo |"))).hasSize(1);
    }

    @Test
    void aFileWithoutThePlaceIsLeftAlone() throws IOException {
        Path file = Files.writeString(directory.resolve("a.md"), "text\n");
        assertThatThrownBy(() -> MarkdownReport.update(file, List.of(), List.of()))
                .hasMessageContainingAll("a.md", "begin -->");
        assertThat(file).hasContent("text");
    }

    @Test
    void aRowThatFailsStopsNoOther() {
        StringWriter printed = new StringWriter();
        List<Result> results =
                new Measurements(bench(), new PrintWriter(printed, true)).of(List.of(broken(), new GemmRow()));
        assertThat(results).extracting(Result::verdict).containsExactly(Result.Verdict.FAILED, Result.Verdict.NO_GOAL);
        assertThat(printed.toString()).contains("first line", "second line", "gemm");
        assertThat(results.get(0).note()).isEqualTo("first line");
    }

    private Bench bench() {
        return new Bench(new FakeSides(), 1, true, directory, directory);
    }

    private static Row broken() {
        return new Row() {
            @Override
            public String name() {
                return "broken";
            }

            @Override
            public String work() {
                return "nothing";
            }

            @Override
            public Goal goal() {
                return Goal.NONE;
            }

            @Override
            public Result measure(Bench bench) throws IOException {
                throw new IOException("first line\nsecond line");
            }
        };
    }
}
