package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.TokenSequence;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The calls of a reward model about one rollout, on threads of their own, while the caller goes on sampling and computes
 * something else. Each call is about consecutive exchanges and is made when the last of them is there; which ends first
 * changes no score and not what a call is about. The first call that fails ends the others.
 */
final class RewardCalls implements AutoCloseable {

    private final RewardModel rewardModel;
    private final Exchange[] exchanges;
    private final TokenSequence[] responses;
    private final int batch;
    private final double[][] scores;
    private final List<Thread> threads;

    /** Exchanges that each call still waits for; only the thread that offers looks at them. */
    private final int[] missing;

    private final BlockingQueue<Integer> readyCalls = new LinkedBlockingQueue<>();
    private final AtomicInteger callsToTake;
    private final AtomicInteger callsToReturn;
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final CountDownLatch decided = new CountDownLatch(1);
    private volatile boolean stopped;

    private RewardCalls(RewardModel rewardModel, int size, RewardConcurrency concurrency) {
        this.rewardModel = rewardModel;
        this.exchanges = new Exchange[size];
        this.responses = new TokenSequence[size];
        this.batch = Math.min(concurrency.batch(), size);
        this.scores = new double[size][];
        this.missing = new int[(size + batch - 1) / batch];
        Arrays.setAll(missing, call -> Math.min(batch, size - call * batch));
        this.callsToTake = new AtomicInteger(missing.length);
        this.callsToReturn = new AtomicInteger(missing.length);
        this.threads = IntStream.range(0, Math.min(concurrency.calls(), missing.length))
                .mapToObj(i -> thread("rlhf4j-reward-" + (i + 1)))
                .toList();
    }

    private Thread thread(String name) {
        Thread thread = new Thread(this::makeCalls, name);
        thread.setDaemon(true);
        return thread;
    }

    /**
     * Begins to wait for the exchanges of a rollout; the calls end with {@link #close} at the latest.
     *
     * @param size exchanges of the rollout, ≥ 1
     */
    static RewardCalls begin(RewardModel rewardModel, int size, RewardConcurrency concurrency) {
        RewardCalls calls = new RewardCalls(rewardModel, size, concurrency);
        calls.threads.forEach(Thread::start);
        return calls;
    }

    /**
     * Has an exchange scored. All of a rollout are offered by one thread, in any order, once. What a call threw meanwhile
     * is thrown here, as by {@link #await}.
     *
     * @param i its number in the rollout
     */
    void offer(int i, Exchange exchange, TokenSequence response) {
        throwFailure();
        exchanges[i] = exchange;
        responses[i] = response;
        if (--missing[i / batch] == 0) {
            readyCalls.add(i / batch);
        }
    }

    private void makeCalls() {
        try {
            while (!stopped && callsToTake.getAndDecrement() > 0) {
                int from = readyCalls.take() * batch;
                makeCall(from, Math.min(from + batch, scores.length));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // stopped while there was nothing to ask
        }
    }

    private void makeCall(int from, int to) {
        try {
            double[][] rewards = Scoring.scoreTokens(
                    rewardModel,
                    List.of(Arrays.copyOfRange(exchanges, from, to)),
                    List.of(Arrays.copyOfRange(responses, from, to)),
                    from);
            System.arraycopy(rewards, 0, scores, from, rewards.length);
            if (callsToReturn.decrementAndGet() == 0) {
                decided.countDown();
            }
        } catch (Throwable thrown) { // whatever it is, it is for the thread that waits
            thrown.addSuppressed(new IllegalStateException("this happened when the reward model was asked about"
                    + " exchanges " + from + " to " + (to - 1) + " of a rollout of " + scores.length + "; the first: "
                    + Scoring.describe(exchanges[from])));
            if (failure.compareAndSet(null, thrown)) {
                stop();
                decided.countDown();
            }
        }
    }

    private void stop() {
        stopped = true;
        threads.forEach(Thread::interrupt);
    }

    /**
     * The rewards token by token, in the rollout's order; waits for them. All of the rollout must have been offered. What a
     * call threw is thrown here, as it is; what it was about is among its suppressed exceptions.
     *
     * @throws CancellationException when this thread is interrupted while it waits
     */
    double[][] await() {
        try {
            decided.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("interrupted while waiting for the reward model");
        }
        throwFailure();
        return scores;
    }

    private void throwFailure() {
        Throwable thrown = failure.get();
        if (thrown != null) {
            throw RewardCalls.<RuntimeException>unchecked(thrown);
        }
    }

    /** Lambdas of other languages throw checked exceptions through interfaces that declare none. */
    @SuppressWarnings("unchecked")
    private static <T extends Throwable> T unchecked(Throwable thrown) throws T {
        throw (T) thrown;
    }

    /** Interrupts calls in flight and waits until they have ended, so that none outlives a model that it reads. */
    @Override
    public void close() {
        stop();
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
