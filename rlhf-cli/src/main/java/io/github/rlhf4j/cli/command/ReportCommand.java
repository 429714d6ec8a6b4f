package io.github.rlhf4j.cli.command;

import io.github.rlhf4j.cli.report.HtmlReport;
import io.github.rlhf4j.cli.report.ResultsTable;
import io.github.rlhf4j.cli.report.RunRecords;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Builds the report again and prints the results. */
@Command(name = "report", mixinStandardHelpOptions = true, description = "Print a run's results; build its report.")
final class ReportCommand implements Callable<Integer> {

    @Option(names = "--out", paramLabel = "DIR", description = "The run's directory; default: the last of runs/1, 2 …")
    @Nullable
    Path out;

    @Spec
    @Nullable
    CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        Path directory = RunOptions.lastRunUnless(out);
        RunRecords records = RunRecords.read(directory);
        PrintWriter writer = Rlhf.out(spec);
        writer.println(ResultsTable.of(records));
        if (records.results().measurements().isEmpty()) {
            writer.println(remedy(records, directory));
        }
        writer.println("report: " + HtmlReport.write(directory).toAbsolutePath());
        return 0;
    }

    /** What was refused before anything was trained, for its own settings, is refused again when it is resumed. */
    private static String remedy(RunRecords records, Path directory) {
        String resume = "rlhf run --resume --out " + directory;
        return records.steps().isEmpty()
                ? "nothing was trained; if an error ended it, begin another run with what the error asks for (rlhf run"
                        + " --out …, in another directory); if it was interrupted, finish it with: " + resume
                : "finish it with: " + resume;
    }
}
