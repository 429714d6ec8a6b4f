package io.github.rlhf4j.core.random;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class EpochOrderTest {

    private final EpochOrder order = new EpochOrder(RandomKey.of(1), 7);

    @Test
    void eachEpochHasEachItemOnceInAnotherOrder() {
        int[] first = order.take(0, 7);
        int[] second = order.take(7, 7);
        int[] all = IntStream.range(0, 7).toArray();
        assertThat(first).containsExactlyInAnyOrder(all);
        assertThat(second).containsExactlyInAnyOrder(all);
        assertThat(Arrays.equals(first, second)).isFalse();
    }

    @Test
    void anItemIsAFunctionOfItsPosition() {
        int[] whole = order.take(0, 30);
        for (int from = 0; from < 25; from++) {
            assertThat(order.take(from, 5)).isEqualTo(Arrays.copyOfRange(whole, from, from + 5));
        }
    }
}
