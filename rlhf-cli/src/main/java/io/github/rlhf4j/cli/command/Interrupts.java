package io.github.rlhf4j.cli.command;

import java.util.concurrent.CountDownLatch;

/**
 * Ctrl-C (and SIGTERM) while this is open: asks the work to stop, and holds the end of the program back until this is
 * closed. The JVM then exits with the signal's own code, 130 for Ctrl-C.
 */
final class Interrupts implements AutoCloseable {

    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread hook;

    private Interrupts(Runnable ask) {
        hook = new Thread(() -> holdBack(ask), "interrupt");
    }

    static Interrupts handledBy(Runnable ask) {
        Interrupts interrupts = new Interrupts(ask);
        Runtime.getRuntime().addShutdownHook(interrupts.hook);
        return interrupts;
    }

    private void holdBack(Runnable ask) {
        ask.run();
        try {
            closed.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        closed.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException programIsEnding) {
            // by the very hook, which has just been let go
        }
    }
}
