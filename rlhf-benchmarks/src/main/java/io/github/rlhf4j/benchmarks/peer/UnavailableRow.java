package io.github.rlhf4j.benchmarks.peer;

/** A row whose work the library does not do yet. */
record UnavailableRow(String name, String work, Goal goal) implements Row {

    @Override
    public boolean needsPeer() {
        return false;
    }

    @Override
    public Result measure(Bench bench) {
        return Result.without(this, Result.Verdict.NOT_AVAILABLE, "not built yet");
    }
}
