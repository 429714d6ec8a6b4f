package io.github.rlhf4j.transformer.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;

class ParallelTest {

    @Test
    void everyRowIsDoneOnce() {
        ForkJoinPool pool = new ForkJoinPool(3);
        for (int count : new int[] {0, 1, 2, 7, 100, 1001}) {
            for (int minimum : new int[] {1, 3, 64, 5000}) {
                AtomicIntegerArray done = new AtomicIntegerArray(count + 1);
                Parallel.rows(pool, count, minimum, (from, to) -> {
                    for (int i = from; i < to; i++) {
                        done.incrementAndGet(i);
                    }
                });
                for (int i = 0; i < count; i++) {
                    assertThat(done.get(i)).isEqualTo(1);
                }
            }
        }
        pool.shutdown();
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
        ForkJoinPool pool = new ForkJoinPool(2);
        assertThatThrownBy(() -> Parallel.rows(pool, 100, 1, (from, to) -> {
                    if (to > 50) {
                        throw new IllegalStateException("row 50");
                    }
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("row 50");
        pool.shutdown();
    }
}
