package io.github.rlhf4j.benchmarks.peer;

/**
 * How often a work is measured.
 *
 * @param warmups requests of each side that are not counted, ≥ 1
 * @param rounds requests of each side that are, in turns, ≥ 1
 * @param steps of each request, ≥ 1
 */
record Plan(int warmups, int rounds, int steps) {

    private static final int QUICK_ROUNDS = 2;

    Plan {
        if (warmups < 1 || rounds < 1 || steps < 1) {
            throw new IllegalArgumentException(
                    "warmups, rounds and steps must be at least 1, got " + warmups + ", " + rounds + ", " + steps);
        }
    }

    /** As little as shows whether everything works. */
    Plan quick() {
        return new Plan(1, Math.min(rounds, QUICK_ROUNDS), steps);
    }
}
