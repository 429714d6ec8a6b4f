package io.github.rlhf4j.benchmarks.peer;

/**
 * What both sides must agree on before anything is timed.
 *
 * @param what it is called, such as "loss"
 * @param tolerance largest difference, in the check's unit
 */
record Check(String what, double tolerance) {

    /** The same mean loss over the same tokens, to a thousandth of a nat. */
    static final Check LOSS = new Check("loss", 1e-3);

    /** @throws CheckFailedException when the sides differ by more than the tolerance, or either is not a number */
    void require(double ours, double peer) {
        if (!(Math.abs(ours - peer) <= tolerance)) {
            throw new CheckFailedException(what, ours, peer, tolerance);
        }
    }
}
