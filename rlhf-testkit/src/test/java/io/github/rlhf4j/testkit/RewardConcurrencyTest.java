package io.github.rlhf4j.testkit;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.CompletionListener;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.core.training.Trainer;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.PpoTrainer;
import io.github.rlhf4j.ppo.PpoTrainerBuilder;
import io.github.rlhf4j.ppo.group.GroupAlgorithm;
import io.github.rlhf4j.ppo.group.GroupConfig;
import io.github.rlhf4j.ppo.group.GroupTrainer;
import io.github.rlhf4j.ppo.group.GroupTrainerBuilder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A slow reward model is waited for at the end, not at each call; who asks how changes no number. */
@Timeout(60)
class RewardConcurrencyTest {

    private static final BatchPlan PLAN = new BatchPlan(8, 4);
    private static final int STEPS = 3;

    private static PpoTrainerBuilder builder() {
        return PpoFixture.builder(PpoFixture.policy(), PpoFixture.config(STEPS, PLAN));
    }

    private static List<StepReport> run(Trainer trainer) {
        List<StepReport> reports = new ArrayList<>();
        trainer.run((t, report) -> reports.add(report));
        return reports;
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(30, SECONDS)).as("awaited in time").isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted", e);
        }
    }

    // Overlap and bounds

    @Test
    void theReferenceScoresWhileTheRewardModelIsAsked() {
        CountDownLatch referenceAsked = new CountDownLatch(1);
        TabularPolicy reference =
                new TabularPolicy(
                        PpoFixture.LETTERS,
                        TabularContext.LAST_TOKEN,
                        16,
                        new StateTable(3, new TabularOptimizer.Sgd(), RandomKey.of(0), 0)) {
                    @Override
                    public TokenScores score(SequenceBatch batch) {
                        referenceAsked.countDown();
                        return super.score(batch);
                    }
                };
        RewardModel returnsAfterTheReferenceWasAsked = batch -> {
            await(referenceAsked);
            return PpoFixture.COUNT_B.score(batch);
        };
        PpoTrainer trainer = builder()
                .reference(reference)
                .rewardModel(returnsAfterTheReferenceWasAsked)
                .build();
        assertThat(trainer.step().step()).isEqualTo(1);
    }

    @Test
    void asManyCallsAreInFlightAsAllowedAndNoMore() {
        CyclicBarrier two = new CyclicBarrier(2);
        AtomicInteger inFlight = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        List<Integer> sizes = Collections.synchronizedList(new ArrayList<>());
        RewardModel meetsAnotherCall = batch -> {
            most.accumulateAndGet(inFlight.incrementAndGet(), Math::max);
            sizes.add(batch.size());
            try {
                two.await(30, SECONDS);
            } catch (Exception e) {
                throw new IllegalStateException("no second call came", e);
            }
            inFlight.decrementAndGet();
            return PpoFixture.COUNT_B.score(batch);
        };
        builder().rewardModel(meetsAnotherCall).rewardConcurrency(2, 2).build().step();
        assertThat(most).hasValue(2);
        assertThat(sizes).containsExactly(2, 2, 2, 2);
    }

    @Test
    void byDefaultTheModelIsAskedOnceAboutTheWholeRollout() {
        List<Integer> sizes = Collections.synchronizedList(new ArrayList<>());
        builder()
                .rewardModel(batch -> {
                    sizes.add(batch.size());
                    return PpoFixture.COUNT_B.score(batch);
                })
                .build()
                .run();
        assertThat(sizes).containsExactly(8, 8, 8);
    }

    @ParameterizedTest
    @CsvSource({"1, 3", "2, 3", "3, 1", "8, 1", "5, 100"})
    void theRunIsTheSameHoweverTheModelIsAsked(int calls, int batch) {
        List<StepReport> expected = run(builder().build());
        PpoTrainer asked = builder()
                .rewardModel(b -> {
                    Thread.yield();
                    return PpoFixture.COUNT_B.score(b);
                })
                .rewardConcurrency(calls, batch)
                .build();
        assertThat(run(asked)).isEqualTo(expected);
    }

    @Test
    void withoutCallsOrExchangesThereIsNothingToAsk() {
        assertThatThrownBy(() -> builder().rewardConcurrency(0, 4)).hasMessageContaining("0 calls of 4 exchanges");
        assertThatThrownBy(() -> builder().rewardConcurrency(2, 0)).hasMessageContaining("2 calls of 0 exchanges");
    }

    // Overlap with sampling

    /** A policy that tells of completions in an order of its own, and does something before each. */
    private static TabularPolicy telling(int[] order, IntConsumer beforeTheNth) {
        return new TabularPolicy(PpoFixture.LETTERS, TabularContext.WHOLE_PREFIX, 16, PpoFixture.policy().table) {
            @Override
            public List<Completion> complete(
                    List<TokenSequence> prompts, Sampling sampling, long seed, CompletionListener listener) {
                List<Completion> completions = complete(prompts, sampling, seed);
                for (int n = 0; n < order.length; n++) {
                    beforeTheNth.accept(n);
                    listener.onCompletion(order[n], completions.get(order[n]));
                }
                return completions;
            }
        };
    }

    private static PpoTrainerBuilder builder(TabularPolicy telling) {
        return PpoFixture.builder(telling, PpoFixture.config(STEPS, PLAN)).reference(PpoFixture.policy());
    }

    private static final int[] IN_ORDER = {0, 1, 2, 3, 4, 5, 6, 7};

    /** The last two completions end only when the reward model has been asked about six: with calls of four it never is. */
    @Test
    void theRewardModelIsAskedWhileTheRestIsSampled() {
        CountDownLatch askedAboutSix = new CountDownLatch(3);
        RewardModel counts = batch -> {
            askedAboutSix.countDown();
            return PpoFixture.COUNT_B.score(batch);
        };
        PpoTrainer trainer = builder(telling(IN_ORDER, n -> {
                    if (n == 6) {
                        await(askedAboutSix);
                    }
                }))
                .rewardModel(counts)
                .rewardConcurrency(1, 2)
                .build();
        assertThat(trainer.step().step()).isEqualTo(1);
    }

    /** Calls are about the same exchanges, and the run has the same bits, whichever completions end first. */
    @ParameterizedTest
    @CsvSource({
        "1, 3, 0 1 2 3 4 5 6 7",
        "1, 3, 7 6 5 4 3 2 1 0",
        "2, 2, 3 6 1 0 7 2 5 4",
        "3, 1, 5 4 7 6 1 0 3 2",
        "8, 8, 4 5 6 7 0 1 2 3"
    })
    void theRunIsTheSameInWhateverOrderCompletionsEnd(int calls, int batch, String order) {
        Set<String> expectedCalls = new TreeSet<>();
        List<StepReport> expected = run(builder()
                .rewardModel(recording(expectedCalls, new AtomicInteger()))
                .rewardConcurrency(1, batch)
                .build());
        Set<String> madeCalls = Collections.synchronizedSet(new TreeSet<>());
        AtomicInteger most = new AtomicInteger();
        PpoTrainer told = builder(telling(
                        Arrays.stream(order.split(" "))
                                .mapToInt(Integer::parseInt)
                                .toArray(),
                        n -> Thread.yield()))
                .rewardModel(recording(madeCalls, most))
                .rewardConcurrency(calls, batch)
                .build();
        assertThat(run(told)).isEqualTo(expected);
        assertThat(madeCalls).isEqualTo(expectedCalls);
        assertThat(most.get()).isBetween(1, calls);
    }

    /** Counts b, remembers what each call was about and how many were in flight at most. */
    private static RewardModel recording(Set<String> about, AtomicInteger most) {
        AtomicInteger inFlight = new AtomicInteger();
        return batch -> {
            most.accumulateAndGet(inFlight.incrementAndGet(), Math::max);
            about.add(batch.toString());
            Thread.yield();
            inFlight.decrementAndGet();
            return PpoFixture.COUNT_B.score(batch);
        };
    }

    @Test
    void aRewardModelThatFailsEndsTheSampling() {
        RuntimeException unreachable = new RuntimeException("no route to host");
        AtomicInteger told = new AtomicInteger();
        PpoTrainer trainer = builder(telling(IN_ORDER, n -> {
                    told.set(n);
                    if (n == 2) {
                        awaitNoRewardThread();
                    }
                }))
                .rewardModel(batch -> {
                    throw unreachable;
                })
                .rewardConcurrency(1, 2)
                .build();
        assertThatThrownBy(trainer::step).isSameAs(unreachable);
        assertThat(told)
                .as("completions before the one that was not sampled on")
                .hasValue(2);
        assertThat(threadNames()).noneMatch(name -> name.startsWith("rlhf4j-reward"));
        assertThat(trainer.stepsDone()).isZero();
    }

    /** A failed call ends its thread. */
    private static void awaitNoRewardThread() {
        long deadline = System.nanoTime() + SECONDS.toNanos(30);
        while (threadNames().stream().anyMatch(name -> name.startsWith("rlhf4j-reward"))) {
            assertThat(System.nanoTime()).as("ended in time").isLessThan(deadline);
            Thread.onSpinWait();
        }
    }

    @Test
    void samplingThatFailsEndsTheCalls() {
        CountDownLatch called = new CountDownLatch(1);
        AtomicBoolean interrupted = new AtomicBoolean();
        PpoTrainer trainer = builder(telling(IN_ORDER, n -> {
                    if (n == 2) {
                        await(called);
                        throw new IllegalStateException("out of memory");
                    }
                }))
                .rewardModel(batch -> {
                    called.countDown();
                    try {
                        new CountDownLatch(1).await();
                    } catch (InterruptedException e) {
                        interrupted.set(true);
                    }
                    return new double[batch.size()];
                })
                .rewardConcurrency(2, 2)
                .build();
        assertThatThrownBy(trainer::step).hasMessage("out of memory");
        assertThat(interrupted).isTrue();
        assertThat(threadNames()).noneMatch(name -> name.startsWith("rlhf4j-reward"));
    }

    @Test
    void aPolicyThatTellsTwiceOrNotAtAllIsNamed() {
        assertThatThrownBy(builder(telling(new int[] {0, 1, 1}, n -> {})).build()::step)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("of the completion of prompt 1 twice");
        assertThatThrownBy(builder(telling(new int[] {0, 1, 3}, n -> {})).build()::step)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("did not tell its listener")
                .hasMessageContaining("for prompt 2");
    }

    // A trainer without a critic calls it likewise

    private static GroupTrainerBuilder group(TabularPolicy policy, TabularPolicy reference) {
        GroupConfig config = GroupConfig.of(STEPS, PLAN, 2, PpoFixture.SAMPLING, GroupAlgorithm.rloo(), 42);
        return GroupTrainer.builder()
                .config(config.withRate(new LearningRateSchedule.Constant(0.05)))
                .policy(policy)
                .reference(reference)
                .prompts(PpoFixture.PROMPTS);
    }

    @Test
    void aGroupTrainerAsksTheRewardModelWhileTheRestIsSampled() {
        CountDownLatch askedAboutSix = new CountDownLatch(3);
        RewardModel counts = batch -> {
            askedAboutSix.countDown();
            return PpoFixture.COUNT_B.score(batch);
        };
        TabularPolicy policy = telling(IN_ORDER, n -> {
            if (n == 6) {
                await(askedAboutSix);
            }
        });
        GroupTrainer trainer = group(policy, PpoFixture.policy())
                .rewardModel(counts)
                .rewardConcurrency(1, 2)
                .build();
        assertThat(trainer.step().step()).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({"1, 3", "2, 3", "8, 1"})
    void aGroupTrainersRunIsTheSameHoweverTheModelIsAsked(int calls, int batch) {
        List<StepReport> expected = run(group(PpoFixture.policy(), PpoFixture.policy())
                .rewardModel(PpoFixture.COUNT_B)
                .build());
        Set<String> made = Collections.synchronizedSet(new TreeSet<>());
        AtomicInteger most = new AtomicInteger();
        GroupTrainer asked = group(PpoFixture.policy(), PpoFixture.policy())
                .rewardModel(recording(made, most))
                .rewardConcurrency(calls, batch)
                .build();
        assertThat(run(asked)).isEqualTo(expected);
        assertThat(made).hasSizeGreaterThan(STEPS);
        assertThat(most.get()).isBetween(1, calls);
    }

    // Models that are wrong

    @Test
    void aWrongCountIsNamedWithTheExchangesOfItsCall() {
        PpoTrainer trainer = builder()
                .rewardModel(batch -> new double[batch.size() + 1])
                .rewardConcurrency(2, 4)
                .build();
        assertThatThrownBy(trainer::step)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("given 4 exchanges and returned 5 scores");
    }

    @Test
    void aScoreThatIsNotANumberIsNamedByItsPlaceInTheRollout() {
        AtomicInteger calls = new AtomicInteger();
        RewardModel brokenInItsThirdCall = batch -> {
            double[] scores = new double[batch.size()];
            scores[1] = calls.incrementAndGet() == 3 ? Double.NaN : 0;
            return scores;
        };
        PpoTrainer trainer = builder()
                .rewardModel(brokenInItsThirdCall)
                .rewardConcurrency(1, 2)
                .build();
        assertThatThrownBy(trainer::step)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("score NaN to exchange 5");
    }

    // Calls that fail

    @Test
    void whatACallThrowsSurfacesAsItselfAndSaysWhatItWasAbout() {
        RuntimeException unreachable = new RuntimeException("no route to host");
        PpoTrainer trainer = builder()
                .rewardModel(batch -> {
                    throw unreachable;
                })
                .rewardConcurrency(1, 3)
                .build();
        assertThatThrownBy(trainer::step).isSameAs(unreachable);
        assertThat(unreachable.getSuppressed()).hasSize(1);
        assertThat(unreachable.getSuppressed()[0])
                .hasMessageContaining("exchanges 0 to 2 of a rollout of 8")
                .hasMessageContaining("prompt \"");
    }

    @Test
    void aCallThatFailsCancelsTheOthersAndTheyHaveEndedWhenItSurfaces() {
        CountDownLatch otherIsInFlight = new CountDownLatch(1);
        AtomicBoolean otherWasInterrupted = new AtomicBoolean();
        List<List<Exchange>> asked = Collections.synchronizedList(new ArrayList<>());
        AtomicInteger calls = new AtomicInteger();
        Error failure = new AssertionError("out of credits");
        RewardModel failing = batch -> {
            asked.add(batch);
            if (calls.incrementAndGet() == 1) {
                await(otherIsInFlight);
                throw failure;
            }
            otherIsInFlight.countDown();
            try {
                new CountDownLatch(1).await();
                throw new IllegalStateException("not reached");
            } catch (InterruptedException e) {
                otherWasInterrupted.set(true);
                throw new IllegalStateException("interrupted", e);
            }
        };
        PpoTrainer trainer =
                builder().rewardModel(failing).rewardConcurrency(2, 2).build();
        assertThatThrownBy(trainer::step).isSameAs(failure);
        assertThat(otherWasInterrupted).isTrue();
        assertThat(asked).hasSize(2);
    }

    @Test
    void aStepThatFailedCanBeRepeatedAndGivesTheSameNumbers() {
        List<StepReport> expected = run(builder().build());
        AtomicInteger calls = new AtomicInteger();
        RewardModel failsInTheSecondStep = batch -> {
            if (calls.incrementAndGet() == 6) {
                throw new IllegalStateException("timeout");
            }
            return PpoFixture.COUNT_B.score(batch);
        };
        PpoTrainer trainer = builder()
                .rewardModel(failsInTheSecondStep)
                .rewardConcurrency(2, 2)
                .build();
        assertThat(trainer.step()).isEqualTo(expected.get(0));
        assertThatThrownBy(trainer::step).hasMessage("timeout");
        assertThat(trainer.stepsDone()).isEqualTo(1);
        assertThat(run(trainer)).isEqualTo(expected.subList(1, STEPS));
    }

    @Test
    void aReferenceThatFailsEndsTheCallsToo() {
        CountDownLatch called = new CountDownLatch(1);
        AtomicBoolean interrupted = new AtomicBoolean();
        TabularPolicy failing =
                new TabularPolicy(
                        PpoFixture.LETTERS,
                        TabularContext.LAST_TOKEN,
                        16,
                        new StateTable(3, new TabularOptimizer.Sgd(), RandomKey.of(0), 0)) {
                    @Override
                    public TokenScores score(SequenceBatch batch) {
                        await(called);
                        throw new IllegalStateException("reference is gone");
                    }
                };
        RewardModel neverReturns = batch -> {
            called.countDown();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                interrupted.set(true);
            }
            return new double[batch.size()];
        };
        PpoTrainer trainer =
                builder().reference(failing).rewardModel(neverReturns).build();
        assertThatThrownBy(trainer::step).hasMessage("reference is gone");
        assertThat(interrupted).isTrue();
        assertThat(threadNames()).noneMatch(name -> name.startsWith("rlhf4j-reward"));
    }

    @Test
    void aThreadThatIsInterruptedWhileItWaitsStops() {
        Thread waiting = Thread.currentThread();
        PpoTrainer trainer = builder()
                .rewardModel(batch -> {
                    waiting.interrupt();
                    try {
                        new CountDownLatch(1).await();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException("call interrupted", e);
                    }
                    return new double[batch.size()];
                })
                .build();
        assertThatThrownBy(trainer::step).hasMessageContaining("interrupted while waiting for the reward model");
        assertThat(Thread.interrupted()).isTrue();
        assertThat(trainer.stepsDone()).isZero();
    }

    private static List<String> threadNames() {
        Thread[] threads = new Thread[Thread.activeCount() + 16];
        int count = Thread.enumerate(threads);
        return Arrays.stream(threads, 0, count).map(Thread::getName).toList();
    }
}
