package io.github.rlhf4j.benchmarks.peer;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The program that measures us beside our peers. Exit codes: 0 done or skipped, 1 a row failed, 2 wrong arguments. */
@Command(
        name = "peer-benchmark",
        mixinStandardHelpOptions = true,
        description = "Measures rlhf4j beside PyTorch, transformers, TRL and tokenizers, in turns, in one run.")
public final class PeerBenchmark implements Callable<Integer> {

    private static final int FAILED = 1;

    @Parameters(paramLabel = "ROW", arity = "0..*", description = "What to measure; default: everything.")
    List<String> rows = new ArrayList<>();

    @Option(names = "--list", description = "Say what rows there are, and stop.")
    boolean list;

    @Option(names = "--quick", description = "Two rounds of each only: shows that it works, not how fast.")
    boolean quick;

    @Option(names = "--threads", paramLabel = "N", description = "Threads of each side; default: all processors.")
    int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--markdown", paramLabel = "FILE", description = "Also write the table into this file.")
    @Nullable
    Path markdown;

    @Option(names = "--plots", paramLabel = "DIR", description = "Where the charts of scaling go (${DEFAULT-VALUE}).")
    Path plots = Path.of("plots");

    @Option(
            names = "--scripts",
            paramLabel = "DIR",
            hidden = true,
            defaultValue = "${sys:rlhf4j.benchmarks.scripts:-rlhf-benchmarks/src/main/python}",
            description = "Our Python scripts.")
    Path scripts = Path.of("");

    @Spec
    @Nullable
    CommandSpec spec;

    private final Map<String, String> environment;

    PeerBenchmark(Map<String, String> environment) {
        this.environment = environment;
    }

    /** Measures what the arguments name and exits with its code. */
    public static void main(String[] arguments) {
        PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
        System.exit(execute(System.getenv(), out, new PrintWriter(System.err, true), arguments));
    }

    static int execute(Map<String, String> environment, PrintWriter out, PrintWriter err, String... arguments) {
        return new CommandLine(new PeerBenchmark(environment))
                .setOut(out)
                .setErr(err)
                .execute(arguments);
    }

    @Override
    public Integer call() throws IOException {
        PrintWriter out = commandLine().getOut();
        List<Row> selected = selected();
        if (list) {
            selected.forEach(row -> out.printf("%-12s %-8s %s%n", row.name(), row.goal(), row.work()));
            return 0;
        }
        Optional<Peers> peers = Peers.in(environment, scripts.toAbsolutePath());
        if (peers.isEmpty() && selected.stream().anyMatch(Row::needsPeer)) {
            out.println(Peers.howToInstall());
            return 0;
        }
        List<String> setting = setting(peers);
        setting.forEach(out::println);
        List<Result> results = measure(selected, peers, out);
        out.println();
        out.print(ResultTable.console(results));
        out.flush();
        if (markdown != null) {
            MarkdownReport.update(markdown, setting, results);
        }
        return results.stream().anyMatch(result -> result.verdict() == Result.Verdict.FAILED) ? FAILED : 0;
    }

    private List<Result> measure(List<Row> selected, Optional<Peers> peers, PrintWriter out) throws IOException {
        try (Scratch scratch = Scratch.create()) {
            Path directory = scratch.directory();
            Bench bench = new Bench(new Processes(peers, directory), threads, quick, directory, plots);
            return new Measurements(bench, out).of(selected);
        }
    }

    private List<Row> selected() {
        if (threads < 1) {
            throw new ParameterException(commandLine(), "--threads must be at least 1, got " + threads);
        }
        try {
            return Rows.named(rows);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    private List<String> setting(Optional<Peers> peers) throws IOException {
        List<String> lines = new ArrayList<>();
        lines.add("Machine: " + Machine.describe() + "; " + threads + " threads on each side");
        lines.add("Ours: Java " + System.getProperty("java.version") + ", " + System.getProperty("java.vm.name"));
        if (peers.isPresent()) {
            lines.add("Peers: " + peers.get().versions());
        }
        lines.add("Command: `rlhf-benchmarks/peer-benchmark "
                + String.join(" ", commandLine().getParseResult().originalArgs()) + "`");
        return lines;
    }

    private CommandLine commandLine() {
        if (spec == null) {
            throw new IllegalStateException("picocli has not injected the command");
        }
        return spec.commandLine();
    }
}
