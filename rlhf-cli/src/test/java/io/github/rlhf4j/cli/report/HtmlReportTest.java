package io.github.rlhf4j.cli.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rlhf4j.cli.report.RunResults.CalibrationBin;
import io.github.rlhf4j.cli.report.RunResults.Measurement;
import io.github.rlhf4j.cli.report.RunResults.SelectionPoint;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xml.sax.InputSource;

class HtmlReportTest {

    @TempDir
    Path run;

    @BeforeEach
    void aRunThatHasEnded() throws IOException {
        Files.writeString(run.resolve(RunRecords.CONFIG), "seed: 1 # <&>\n");
        StringBuilder metrics = new StringBuilder();
        for (int step = 1; step <= 20; step++) {
            metrics.append("{\"stage\":\"pretraining\",\"step\":" + step + ",\"totalSteps\":20,\"loss\":" + 8.0 / step
                    + "}\n");
        }
        for (int step = 1; step <= 5; step++) {
            metrics.append("{\"stage\":\"ppo\",\"step\":" + step + ",\"totalSteps\":5,\"objective/kl\":" + step
                    + ",\"objective/score\":" + 0.5 * step + ",\"gold/score\":0.5,\"gold/share\":0.4}\n");
        }
        Files.writeString(run.resolve(RunRecords.METRICS), metrics);
        RunRecords.writeResults(
                run,
                new RunResults(
                        List.of(
                                new Measurement("reward/accuracy", "accuracy", 0.85, 0.8),
                                new Measurement("gold/share_ppo", "taste met", 0.5, 0.6),
                                new Measurement("objective/kl", "KL", Double.NaN, null)),
                        List.of(new CalibrationBin(0.6, 0.55, 10), new CalibrationBin(0.9, 0.85, 12)),
                        List.of(new SelectionPoint("SFT", 0, 0.2, 0), new SelectionPoint("PPO", 9, 0.5, 2)),
                        List.of("measured on 1 & 2")));
        RunRecords.writeSeconds(run, Map.of("ppo", 12.5));
        RunRecords.writeSamples(
                run,
                List.of(new Sample("What does \"x\" mean?", "<script>alert(1)</script>", "a \u0001 b", 0, 1, 0, 1)));
    }

    @Test
    void itIsOneFileThatLoadsNothing() throws IOException {
        String html = Files.readString(HtmlReport.write(run));

        assertThat(html).doesNotContain("<script", "<link", "<img", "src=", "href=", "@import", "url(", "http");
    }

    /** A reader that has the report open, or a full disk, keeps the old one: the file is replaced, not written over. */
    @Test
    void aReportIsReplacedAsAWhole() throws IOException {
        Path report = HtmlReport.write(run);
        Path same = Files.createLink(run.resolve("opened.html"), report);
        Files.writeString(run.resolve(RunRecords.CONFIG), "seed: 2\n");

        HtmlReport.write(run);

        assertThat(same).content().contains("seed: 1");
        assertThat(report).content().contains("seed: 2");
    }

    @Test
    void itHasEachChartAsWellFormedSvg() throws Exception {
        String html = HtmlReport.of(RunRecords.read(run));
        List<String> charts = Pattern.compile("<svg.*?</svg>", Pattern.DOTALL)
                .matcher(html)
                .results()
                .map(match -> match.group())
                .toList();

        assertThat(charts)
                .extracting(svg -> svg.replaceAll("(?s).*?<title>(.*?)</title>.*", "$1"))
                .containsExactly(
                        "Loss of pretraining",
                        "Reward over PPO steps",
                        "KL to the supervised model over PPO steps",
                        "Hidden taste over PPO steps (training words)",
                        "Learned reward against \u221AKL",
                        "Gold against learned reward",
                        "Calibration of the reward model",
                        "Hidden taste met, at equal KL");
        for (String svg : charts) {
            assertThat(svg).containsPattern("<polyline|<circle").doesNotContain("NaN");
            DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(svg)));
        }
    }

    @Test
    void whatAModelSaysIsShownNotRun() throws IOException {
        String html = HtmlReport.of(RunRecords.read(run));

        assertThat(html).contains("&lt;script&gt;alert(1)&lt;/script&gt;", "a \uFFFD b", "seed: 1 # &lt;&amp;&gt;");
    }

    @Test
    void theTableSaysWhatPassesAndWhatIsMissed() throws IOException {
        RunResults results = RunRecords.read(run).results();

        assertThat(results.allTargetsMet()).isFalse();
        assertThat(ResultsTable.of(results)).isEqualTo("""
                result            value  target
                accuracy          0.850  at least 0.800  pass
                taste met         0.500  at least 0.600  miss
                KL         not measured
                warning: measured on 1 & 2
                """);
        assertThat(HtmlReport.of(RunRecords.read(run))).contains("warning: measured on 1 &amp; 2</p>");
    }

    @Test
    void resultsOfBeforeThereWereWarningsAreRead() throws IOException {
        Files.writeString(run.resolve(RunRecords.RESULTS), "{\"measurements\":[],\"calibration\":[],\"bestOf\":[]}\n");

        assertThat(RunRecords.read(run).results()).isEqualTo(RunResults.none());
    }

    @Test
    void aDirectoryWithoutARunIsRefused(@TempDir Path empty) {
        assertThatThrownBy(() -> RunRecords.read(empty))
                .isInstanceOf(NoSuchFileException.class)
                .hasMessageContaining("no run is there")
                .hasMessageContaining("--out");
    }

    @Test
    void theTableEndsWithTheKlOverPposRollouts() throws IOException {
        assertThat(ResultsTable.of(RunRecords.read(run)))
                .contains("KL over PPO's rollouts, in tenths: 1.000, 2.000, 3.000, 4.000, 5.000; mean 3.000 nats");

        StringBuilder more = new StringBuilder();
        for (int step = 1; step <= 80; step++) {
            more.append("{\"stage\":\"ppo\",\"step\":" + step + ",\"totalSteps\":80,\"objective/kl\":" + (step - 1) / 8
                    + "}\n");
        }
        Files.writeString(run.resolve(RunRecords.METRICS), more);
        assertThat(ResultsTable.of(RunRecords.read(run)))
                .endsWith("in tenths: 0.000, 1.000, 2.000, 3.000, 4.000, 5.000, 6.000, 7.000, 8.000, 9.000;"
                        + " mean 4.500 nats per sequence\n");

        Files.writeString(run.resolve(RunRecords.METRICS), "");
        assertThat(ResultsTable.of(RunRecords.read(run))).doesNotContain("rollouts");
    }

    @Test
    void aBrokenResultsFileIsNamed() throws IOException {
        Files.writeString(run.resolve(RunRecords.RESULTS), "{\"measurements\":");

        assertThatThrownBy(() -> RunRecords.read(run))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("results.json");
    }

    @Test
    void anAxisEndsOnRoundTicksAroundItsValues() {
        Axis axis = Axis.over(java.util.stream.DoubleStream.of(0.13, 0.87, Double.NaN), 0, 100);

        assertThat(axis.ticks().stream().map(Axis::label)).containsExactly("0", "0.2", "0.4", "0.6", "0.8", "1");
        assertThat(axis.pixel(0.5)).isEqualTo(50);
    }
}
