package io.github.rlhf4j.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.core.test.SharedData;
import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class ShakespeareBenchmarkTest {

    /** nanoGPT's README: about 1.88; the margin is for the choice of windows it is estimated on. */
    @Test
    @Tag("slow")
    void characterLevelShakespeareReachesThePublishedLoss() throws IOException {
        String text = Files.readString(SharedData.file("data/tinyshakespeare/input.txt"));
        assertThat(text).hasSize(1_115_394);

        ShakespeareBenchmark.Result result = ShakespeareBenchmark.run(text, System.out);

        assertThat(result.finalLoss()).isLessThanOrEqualTo(1.90);
        assertThat(result.curve()).hasSize(8).isSortedAccordingTo((a, b) -> Double.compare(b.loss(), a.loss()));
    }
}
