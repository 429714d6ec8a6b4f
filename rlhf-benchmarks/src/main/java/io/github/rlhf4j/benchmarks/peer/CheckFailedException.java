package io.github.rlhf4j.benchmarks.peer;

/** The sides do not compute the same thing, so their times say nothing. */
final class CheckFailedException extends RuntimeException {

    private static final long serialVersionUID = 1;

    CheckFailedException(String what, double ours, double peer, double tolerance) {
        super("our " + what + " is " + ours + ", the peer's " + peer + ": they may differ by " + tolerance
                + "; nothing was timed");
    }
}
