package io.github.rlhf4j.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class CartPoleCurvesTest {

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    private boolean run(int iterations, long... seeds) {
        return CartPoleCurves.run(iterations, seeds, new PrintStream(bytes, true, StandardCharsets.UTF_8));
    }

    private String printed() {
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void seedsAndCurveArePrinted() {
        assertThat(run(1, 7)).isFalse();
        assertThat(printed())
                .contains("gamma=0.99", "seed 7: steps")
                .containsPattern("(?m)^    2048 +\\d+\\.\\d  #+$")
                .containsPattern("average return over 100 episodes \\d+\\.\\d \\(actions drawn\\)")
                .contains("0 of 1 seeds return 475 or more");
    }

    @Test
    @Tag("slow")
    void fiveSeedsSolveTheTask() {
        assertThat(run(50, 1, 2, 3, 4, 5)).as(printed()).isTrue();
    }
}
