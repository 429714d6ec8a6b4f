package io.github.rlhf4j.transformer.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

class ParallelTest {

    @Test
    void everyRowIsDoneOnce() {
        ThreadCrew crew = new ThreadCrew(3);
        for (int count : new int[] {0, 1, 2, 7, 100, 1001}) {
            for (int minimum : new int[] {1, 3, 64, 5000}) {
                AtomicIntegerArray done = new AtomicIntegerArray(count + 1);
                Parallel.rows(crew, count, minimum, (from, to) -> {
                    for (int i = from; i < to; i++) {
                        done.incrementAndGet(i);
                    }
                });
                for (int i = 0; i < count; i++) {
                    assertThat(done.get(i)).isEqualTo(1);
                }
            }
        }
        crew.close();
    }

    @Test
    void workMaySplitItsOwnWork() {
        AtomicIntegerArray done = new AtomicIntegerArray(64);
        Parallel.rows(8, 1, (from, to) -> {
            for (int i = from; i < to; i++) {
                int row = i;
                Parallel.rows(8, 1, (a, b) -> {
                    for (int j = a; j < b; j++) {
                        done.incrementAndGet(8 * row + j);
                    }
                });
            }
        });
        for (int i = 0; i < 64; i++) {
            assertThat(done.get(i)).isEqualTo(1);
        }
    }

    @Test
    void partitionsDoNotDependOnThreads() {
        int[][] bounds = new int[3][];
        Parallel.partitions(10, 3, (p, from, to) -> bounds[p] = new int[] {from, to});
        assertThat(bounds).isDeepEqualTo(new int[][] {{0, 3}, {3, 6}, {6, 10}});
    }

    @Test
    void anErrorInATaskReachesTheCaller() {
        ThreadCrew crew = new ThreadCrew(2);
        assertThatThrownBy(() -> Parallel.rows(crew, 100, 1, (from, to) -> {
                    if (to > 50) {
                        throw new IllegalStateException("row 50");
                    }
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("row 50");
        crew.close();
    }

    /** What was not begun when a task failed is not begun afterwards, and the threads go on to other work. */
    @Test
    void aFailureDoesNotHangOrSpread() {
        try (ThreadCrew crew = new ThreadCrew(4)) {
            for (int round = 0; round < 200; round++) {
                assertThatThrownBy(() -> crew.each(50, i -> {
                            throw new IllegalStateException("task " + i);
                        }))
                        .hasMessageContaining("task ");
                AtomicIntegerArray done = new AtomicIntegerArray(50);
                crew.each(50, done::incrementAndGet);
                for (int i = 0; i < 50; i++) {
                    assertThat(done.get(i)).isEqualTo(1);
                }
            }
        }
    }

    @Test
    void threadsThatFellAsleepAreWokenAndSeveralCallersShareThem() throws InterruptedException {
        try (ThreadCrew crew = new ThreadCrew(3)) {
            AtomicIntegerArray done = new AtomicIntegerArray(4);
            Thread[] callers = new Thread[4];
            for (int c = 0; c < callers.length; c++) {
                int caller = c;
                callers[c] = new Thread(() -> {
                    for (int round = 0; round < 300; round++) {
                        LockSupport.parkNanos(round % 10 == 0 ? 1_000_000 : 0);
                        crew.each(7, i -> done.incrementAndGet(caller));
                    }
                });
                callers[c].start();
            }
            for (Thread caller : callers) {
                caller.join();
            }
            for (int c = 0; c < callers.length; c++) {
                assertThat(done.get(c)).isEqualTo(7 * 300);
            }
        }
    }
}
