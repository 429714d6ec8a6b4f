package io.github.rlhf4j.benchmarks.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rlhf4j.benchmarks.work.Job;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Both sides warm up, then run in turns. */
class AlternationTest {

    private final FakeSides sides = new FakeSides();
    private final Job job = Job.of("train", 1, Path.of("."), Map.of());

    @Test
    void sidesRunInTurns() throws IOException {
        new Alternation(sides, new Plan(1, 2, 3)).measure(job, List.of("E", "C"), Check.LOSS);
        assertThat(sides.calls)
                .containsExactly(
                        "open ours",
                        "open peerE",
                        "open peerC",
                        "ours 3",
                        "peerE 3",
                        "peerC 3",
                        "ours 3",
                        "peerE 3",
                        "peerC 3",
                        "ours 3",
                        "peerE 3",
                        "peerC 3",
                        "close ours",
                        "close peerE",
                        "close peerC");
    }

    @Test
    void timesArePerStep() throws IOException {
        Comparison times = new Alternation(sides, new Plan(1, 2, 3)).measure(job, List.of(""), Check.LOSS);
        assertThat(times.ours().values()).containsExactly(1, 1);
        assertThat(times.peer().values()).containsExactly(2, 2);
    }

    @Test
    void sidesThatDoNotComputeTheSameAreNotTimed() {
        sides.peerCheck = 8.302;
        assertThatThrownBy(() -> new Alternation(sides, new Plan(1, 2, 3)).measure(job, List.of(""), Check.LOSS))
                .isInstanceOf(CheckFailedException.class)
                .hasMessageContainingAll("loss", "8.3", "8.302", "0.001");
        assertThat(sides.calls).containsExactly("open ours", "open peer", "close ours", "close peer");
    }

    @Test
    void whatIsNoNumberAgreesWithNothing() {
        assertThatThrownBy(() -> Check.LOSS.require(Double.NaN, Double.NaN)).isInstanceOf(CheckFailedException.class);
    }
}
