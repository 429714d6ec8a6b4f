package io.github.rlhf4j.benchmarks.peer;

/**
 * A row of the table.
 *
 * @param name of the row
 * @param work in words
 * @param ours what we took, with its unit
 * @param peer what the peer took, with its unit
 * @param ratio ours over the peer's
 * @param goal for the ratio
 * @param verdict whether the goal is met
 * @param note what else is to say
 */
record Result(
        String name, String work, String ours, String peer, String ratio, String goal, Verdict verdict, String note) {

    /** How a row ended. */
    enum Verdict {
        MET("met"),
        MISSED("missed"),
        NO_GOAL(""),
        FAILED("failed");

        private final String text;

        Verdict(String text) {
            this.text = text;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    /** A row that was measured. */
    static Result measured(Row row, String ours, String peer, Ratio ratio, String note) {
        return new Result(
                row.name(),
                row.work(),
                ours,
                peer,
                ratio.toString(),
                row.goal().toString(),
                verdict(row.goal(), ratio.ofMedians()),
                note);
    }

    /** A row whose work is measured in seconds. */
    static Result measured(Row row, Comparison times, String note) {
        return measured(
                row,
                Figures.duration(times.ours().median()),
                Figures.duration(times.peer().median()),
                times.ratio(),
                note);
    }

    private static Verdict verdict(Goal goal, double ratio) {
        if (!goal.exists()) {
            return Verdict.NO_GOAL;
        }
        return goal.isMetBy(ratio) ? Verdict.MET : Verdict.MISSED;
    }

    /** A row without numbers. */
    static Result without(Row row, Verdict verdict, String note) {
        return new Result(row.name(), row.work(), "", "", "", row.goal().toString(), verdict, note);
    }

    /** The same row with more to say. */
    Result noting(String more) {
        return new Result(name, work, ours, peer, ratio, goal, verdict, note.isEmpty() ? more : note + "; " + more);
    }

    /** The same row, missed although the ratio may be met. */
    Result missed(String why) {
        return new Result(name, work, ours, peer, ratio, goal, Verdict.MISSED, note).noting(why);
    }
}
