package io.github.rlhf4j.benchmarks.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rlhf4j.benchmarks.work.Job;
import io.github.rlhf4j.benchmarks.work.SequenceFile;
import io.github.rlhf4j.core.Demonstration;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a row gives its sides to do, and makes of their answers. */
class RowTest {

    private static final TransformerConfig TINY = TransformerConfig.gpt2(300, 32, 16, 1, 2);

    @TempDir
    Path directory = Path.of("");

    private final FakeSides sides = new FakeSides();

    private Bench bench() {
        return new Bench(sides, 1, true, directory, directory);
    }

    private static TrainRow training(double leastShareOfPeak) {
        Plan plan = new Plan(1, 2, 1);
        return new TrainRow("tiny", "training", Goal.atMost(0.5), TINY, new int[] {3, 5}, plan, leastShareOfPeak);
    }

    @Test
    void aTrainingRowComparesWithBothVariantsOfThePeer() throws IOException {
        Result result = training(0).measure(bench());
        assertThat(result.ratio()).isEqualTo("0.50 (0.50–0.50)");
        assertThat(result.verdict()).isEqualTo(Result.Verdict.MET);
        assertThat(result.note()).contains("eager 2.00 s, compiled 2.00 s", "GFLOP/s");
        assertThat(directory.resolve("tiny").resolve(Job.MODEL)).isDirectoryContaining("glob:**model.safetensors");
        assertThat(SequenceFile.read(directory.resolve("tiny")))
                .extracting(sequence -> sequence.length() + " " + sequence.scoredCount())
                .containsExactly("3 2", "5 4");
    }

    /** The fake sides multiply matrices of 2,048 in the time of a step of the tiny model. */
    @Test
    void aTrainingFarFromThePeakMissesItsGoal() throws IOException {
        Result result = training(0.6).measure(bench());
        assertThat(result.verdict()).isEqualTo(Result.Verdict.MISSED);
        assertThat(result.note()).contains("0 % of our GEMM peak of 17.2 (goal ≥ 60 %)");
    }

    @Test
    void memoryIsThatOfEachSideAlone() throws IOException {
        Result result = new MemoryRow(training(0), Goal.atMost(0.7)).measure(bench());
        assertThat(result.ours()).isEqualTo("1.00 GiB");
        assertThat(result.peer()).isEqualTo("2.00 GiB");
        assertThat(sides.calls)
                .containsExactly(
                        "open ours", "ours 2", "close ours", "open peereager", "peereager 2", "close peereager");
    }

    @Test
    void sidesThatDisagreeFailTheRow() {
        sides.peerCheck = 9;
        assertThatThrownBy(() -> training(0).measure(bench())).isInstanceOf(CheckFailedException.class);
    }

    @Test
    void theTextOfTheDictionaryHasNineMegabytes() throws IOException {
        long bytes = Glosses.writeText(directory);
        assertThat(bytes).isBetween(8_500_000L, 9_500_000L).isEqualTo(Files.size(directory.resolve(Job.TEXT)));
    }

    @Test
    void demonstrationsAreDifferentAndOfAllLengths() {
        List<Demonstration> demonstrations = Glosses.demonstrations(100);
        assertThat(new HashSet<>(demonstrations)).hasSize(100);
        assertThat(demonstrations.stream()
                        .map(demonstration ->
                                demonstration.conversation().last().content().length())
                        .distinct()
                        .count())
                .isGreaterThan(20);
    }

    @Test
    void raggedLengthsAreTheSameAtEachCall() {
        int[] lengths = Models.uniformLengths(1000, 16, 256);
        assertThat(lengths).isEqualTo(Models.uniformLengths(1000, 16, 256));
        assertThat(IntStream.of(lengths).min().orElse(0)).isBetween(16, 20);
        assertThat(IntStream.of(lengths).max().orElse(0)).isBetween(252, 256);
        assertThat(Arrays.stream(lengths).average().orElse(0)).isBetween(126.0, 146.0);
    }

    @Test
    void whatGrowsDoubles() {
        assertThat(Scaling.all()).extracting(Scaling::file).containsExactly("length", "batch", "width", "vocabulary");
        Scaling length = Scaling.all().get(0);
        assertThat(length.values()).containsExactly(64, 128, 256, 512, 1024, 2048);
        assertThat(length.quick().values()).containsExactly(64, 256, 2048);
        assertThat(length.values())
                .allSatisfy(t -> assertThat(length.point().apply(t).tokens()).isEqualTo(4096));
    }
}
