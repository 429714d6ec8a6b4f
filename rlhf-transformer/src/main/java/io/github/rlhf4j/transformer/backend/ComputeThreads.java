package io.github.rlhf4j.transformer.backend;

import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * How many threads compute: one number for our own kernels, ND4J's operations and BLAS, which take turns and never add up.
 * It is the system property {@value #PROPERTY}, otherwise the environment variable {@value #VARIABLE}, and is read once,
 * before the first tensor. Equal numbers give equal results to the bit; so do different ones with our own kernels, as
 * they cut work by its shape and not by the threads there are.
 */
public final class ComputeThreads {

    /** System property with the number of threads, 1 to {@value #MOST}. */
    public static final String PROPERTY = ComputeBackend.THREADS_PROPERTY;

    /** Environment variable with the number of threads when the property does not say it. */
    public static final String VARIABLE = "RLHF4J_THREADS";

    /** The largest number that can be asked for. */
    public static final int MOST = 256;

    private ComputeThreads() {}

    /**
     * The number of threads of our own kernels: what was asked for, otherwise the available processors.
     *
     * @throws IllegalArgumentException when the property or the variable is no such number
     */
    public static int count() {
        return asked().orElse(Math.min(MOST, Runtime.getRuntime().availableProcessors()));
    }

    /** What was asked for; empty when nothing was, and each library decides for itself. */
    static OptionalInt asked() {
        return asked(System.getProperty(PROPERTY), System.getenv(VARIABLE));
    }

    static OptionalInt asked(@Nullable String property, @Nullable String variable) {
        if (property != null && !property.isBlank()) {
            return OptionalInt.of(parse(property, "the system property " + PROPERTY));
        }
        return variable != null && !variable.isBlank()
                ? OptionalInt.of(parse(variable, "the environment variable " + VARIABLE))
                : OptionalInt.empty();
    }

    private static int parse(String asked, String where) {
        try {
            int threads = Integer.parseInt(asked.strip());
            if (threads >= 1 && threads <= MOST) {
                return threads;
            }
        } catch (NumberFormatException e) {
            // falls through to the one message there is
        }
        throw new IllegalArgumentException(
                where + " must be a whole number from 1 to " + MOST + ", got \"" + asked + "\"");
    }
}
