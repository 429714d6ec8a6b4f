package io.github.rlhf4j.transformer.kernels;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A fixed number of threads for very short pieces of work. The caller is one of them; the others look for work a little
 * while longer after each job before they sleep.
 *
 * <p>Implementation note. A training step is some hundred jobs of 0.1–5 ms with next to nothing between them. A pool that
 * parks its threads after each job, and parks the caller while others work, spends a quarter of the two cores of a virtual
 * machine on waking them.
 */
final class ThreadCrew implements AutoCloseable {

    /** How long a thread without work stays awake: longer than what lies between two jobs of a step. */
    private static final long AWAKE_NANOS = 200_000;

    /** Work on one of a number of things. */
    @FunctionalInterface
    interface Task {
        void run(int index);
    }

    private final Queue<Job> open = new ConcurrentLinkedQueue<>();
    private final Worker[] workers;
    private volatile boolean closed;

    /**
     * Starts the threads.
     *
     * @param threads including the caller's, ≥ 1
     */
    ThreadCrew(int threads) {
        workers = new Worker[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker("rlhf4j-kernels-" + (i + 1));
            workers[i].start();
        }
    }

    /** Including the caller's. */
    int threads() {
        return workers.length + 1;
    }

    /**
     * Runs {@code task} for each number in {@code [0, count)}, each once, and returns when all are done; a thread takes the
     * next number when it is done with one. When a task fails, numbers that nobody took yet are left out and the failure is
     * thrown here.
     */
    void each(int count, Task task) {
        if (count <= 1 || workers.length == 0) {
            for (int i = 0; i < count; i++) {
                task.run(i);
            }
            return;
        }
        Job job = new Job(count, task);
        open.add(job);
        wake(count - 1);
        job.work();
        open.remove(job);
        job.await();
    }

    private void wake(int most) {
        int woken = 0;
        for (Worker worker : workers) {
            if (woken < most && worker.wake()) {
                woken++;
            }
        }
    }

    /** Its threads end; work that is being done is finished by its callers. */
    @Override
    public void close() {
        closed = true;
        wake(workers.length);
    }

    private static boolean pause(long since) {
        if (System.nanoTime() - since > AWAKE_NANOS) {
            return false;
        }
        Thread.onSpinWait();
        return true;
    }

    /** Numbers that are taken one by one. */
    private static final class Job {

        private final int count;
        private final Task task;
        private final AtomicInteger next = new AtomicInteger();
        private final AtomicInteger pending;
        private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        private final Thread caller = Thread.currentThread();
        private volatile boolean callerSleeps;

        Job(int count, Task task) {
            this.count = count;
            this.task = task;
            this.pending = new AtomicInteger(count);
        }

        void work() {
            for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
                try {
                    task.run(i);
                    done(1);
                } catch (Throwable e) { // errors too: they belong to the caller
                    failure.compareAndSet(null, e);
                    done(1 + Math.max(0, count - next.getAndSet(count)));
                }
            }
        }

        private void done(int numbers) {
            if (pending.addAndGet(-numbers) == 0 && callerSleeps) {
                LockSupport.unpark(caller);
            }
        }

        void await() {
            long since = System.nanoTime();
            while (pending.get() > 0) {
                if (!pause(since)) {
                    callerSleeps = true;
                    if (pending.get() > 0) {
                        LockSupport.park(this);
                    }
                }
            }
            Throwable thrown = failure.get();
            if (thrown instanceof RuntimeException exception) {
                throw exception;
            }
            if (thrown instanceof Error error) {
                throw error;
            }
        }
    }

    private final class Worker extends Thread {

        private final AtomicBoolean asleep = new AtomicBoolean();

        Worker(String name) {
            super(name);
            setDaemon(true);
        }

        boolean wake() {
            boolean slept = asleep.compareAndSet(true, false);
            if (slept) {
                LockSupport.unpark(this);
            }
            return slept;
        }

        @Override
        public void run() {
            long since = System.nanoTime();
            while (!closed) {
                Job job = open.peek();
                if (job != null) {
                    job.work();
                    open.remove(job);
                    since = System.nanoTime();
                } else if (!pause(since)) {
                    sleep();
                    since = System.nanoTime();
                }
            }
        }

        private void sleep() {
            asleep.set(true);
            while (asleep.get() && open.peek() == null && !closed) {
                LockSupport.park(ThreadCrew.this);
            }
            asleep.set(false);
        }
    }
}
