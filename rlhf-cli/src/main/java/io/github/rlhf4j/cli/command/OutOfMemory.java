package io.github.rlhf4j.cli.command;

import java.util.Locale;
import java.util.stream.Stream;

/** What to do when the memory does not suffice, on Java's heap or in native memory, where the tensors live. */
final class OutOfMemory {

    private OutOfMemory() {}

    /** Whether an error, or what caused it, is a lack of memory; native code says so in an exception's message only. */
    static boolean isCauseOf(Throwable error) {
        return causes(error).anyMatch(OutOfMemory::is);
    }

    /** Which memory ran out, and the settings that give more of it or need less. */
    static String describe(Throwable error) {
        Throwable lack = causes(error).filter(OutOfMemory::is).findFirst().orElse(error);
        String said = lack.getMessage() == null ? "" : " (" + lack.getMessage() + ")";
        return "the memory does not suffice" + said + ". Give it more, Java's heap by RLHF_HEAP=4g and the tensors by"
                + " RLHF_MEMORY=6g in the environment of rlhf; or need less: smaller model.width, model.layers,"
                + " model.context or model.vocabulary, or smaller batches (pretraining.batch, sft.batch,"
                + " ppo.minibatch)";
    }

    private static boolean is(Throwable error) {
        String message = String.valueOf(error.getMessage()).toLowerCase(Locale.ROOT);
        return error instanceof OutOfMemoryError
                || message.contains("bad_alloc")
                || message.contains("physical memory usage is too high")
                || message.contains("cannot allocate");
    }

    private static Stream<Throwable> causes(Throwable error) {
        return Stream.iterate(error, cause -> cause != null, Throwable::getCause)
                .limit(20);
    }
}
