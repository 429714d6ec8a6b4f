package io.github.rlhf4j.cli;

/** What the user gave (a flag, a configuration, a file) is wrong; the message says what, and the remedy. Exit code 2. */
public final class InputException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public InputException(String message) {
        super(message);
    }

    public InputException(String message, Throwable cause) {
        super(message, cause);
    }
}
