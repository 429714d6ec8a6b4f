package io.github.rlhf4j.cli.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class HeldOutTraceTest {

    private static long[] looks(long totalSteps) {
        return LongStream.rangeClosed(1, totalSteps)
                .filter(step -> HeldOutTrace.looksAfter(step, totalSteps))
                .toArray();
    }

    @Test
    void looksAtTenthsAndMoreOftenBeforeTheFirst() {
        assertThat(looks(200)).containsExactly(1, 2, 4, 8, 16, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200);
        assertThat(looks(15)).containsExactly(LongStream.rangeClosed(1, 15).toArray());
        assertThat(looks(29)).containsExactly(1, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 29);
    }
}
