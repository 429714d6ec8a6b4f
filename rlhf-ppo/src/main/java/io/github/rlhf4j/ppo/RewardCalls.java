package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.TokenSequence;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The calls of a reward model about one rollout, on threads of their own, while the caller computes something else. Each
 * call is about consecutive exchanges; how many there are, and which ends first, changes no score. The first call that
 * fails ends the others.
 */
final class RewardCalls implements AutoCloseable {

    private final RewardModel rewardModel;
    private final List<Exchange> exchanges;
    private final List<TokenSequence> responses;
    private final int batch;
    private final double[][] scores;
    private final List<Thread> threads;
    private final AtomicInteger nextCall = new AtomicInteger();
    private final AtomicInteger callsToReturn;
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final CountDownLatch decided = new CountDownLatch(1);
    private volatile boolean stopped;

    private RewardCalls(RewardModel rewardModel, Rollout rollout, RewardConcurrency concurrency) {
        this.rewardModel = rewardModel;
        this.exchanges = rollout.exchanges();
        this.responses = rollout.responses();
        this.batch = Math.min(concurrency.batch(), rollout.size());
        this.scores = new double[rollout.size()][];
        this.callsToReturn = new AtomicInteger(calls());
        this.threads = IntStream.range(0, Math.min(concurrency.calls(), calls()))
                .mapToObj(i -> thread("rlhf4j-reward-" + (i + 1)))
                .toList();
    }

    private int calls() {
        return (scores.length + batch - 1) / batch;
    }

    private Thread thread(String name) {
        Thread thread = new Thread(this::makeCalls, name);
        thread.setDaemon(true);
        return thread;
    }

    /** Begins to ask for the scores of a rollout; the calls end with {@link #close} at the latest. */
    static RewardCalls begin(RewardModel rewardModel, Rollout rollout, RewardConcurrency concurrency) {
        RewardCalls calls = new RewardCalls(rewardModel, rollout, concurrency);
        calls.threads.forEach(Thread::start);
        return calls;
    }

    private void makeCalls() {
        for (int call = nextCall.getAndIncrement(); call < calls(); call = nextCall.getAndIncrement()) {
            if (stopped) {
                return;
            }
            int from = call * batch;
            makeCall(from, Math.min(from + batch, scores.length));
        }
    }

    private void makeCall(int from, int to) {
        try {
            double[][] rewards =
                    Scoring.scoreTokens(rewardModel, exchanges.subList(from, to), responses.subList(from, to), from);
            System.arraycopy(rewards, 0, scores, from, rewards.length);
            if (callsToReturn.decrementAndGet() == 0) {
                decided.countDown();
            }
        } catch (Throwable thrown) { // whatever it is, it is for the thread that waits
            thrown.addSuppressed(new IllegalStateException("this happened when the reward model was asked about"
                    + " exchanges " + from + " to " + (to - 1) + " of a rollout of " + scores.length + "; the first: "
                    + Scoring.describe(exchanges.get(from))));
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
     * The rewards token by token, in the rollout's order; waits for them. What a call threw is thrown here, as it is; what
     * it was about is among its suppressed exceptions.
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
        Throwable thrown = failure.get();
        if (thrown != null) {
            throw RewardCalls.<RuntimeException>unchecked(thrown);
        }
        return scores;
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
