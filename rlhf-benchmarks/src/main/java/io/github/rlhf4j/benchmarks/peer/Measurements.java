package io.github.rlhf4j.benchmarks.peer;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/** Measures one row after the other; one that fails says why and stops no other. */
final class Measurements {

    private final Bench bench;
    private final PrintWriter out;

    Measurements(Bench bench, PrintWriter out) {
        this.bench = bench;
        this.out = out;
    }

    /** A result for each row, in their order. */
    List<Result> of(List<Row> rows) {
        List<Result> results = new ArrayList<>();
        for (Row row : rows) {
            out.println(row.name() + ": " + row.work());
            Result result = measure(row);
            out.println("  " + ResultTable.sentence(result));
            results.add(result);
        }
        return results;
    }

    private Result measure(Row row) {
        try {
            return row.measure(bench);
        } catch (IOException | CheckFailedException e) {
            out.println(e.getMessage());
            String reason = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
            return Result.without(row, Result.Verdict.FAILED, reason);
        }
    }
}
