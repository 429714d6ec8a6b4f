package io.github.rlhf4j.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.transformer.backend.ComputeThreads;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is wrong costs a message and exit code 2, not a stack trace. */
class RlhfTest {

    @TempDir
    Path directory;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--text | '' | has no text",
                "--text | one line only | has 1 document, but",
                "--demonstrations | {\"prompt\": \"a\"\\n | line 1",
                "--demonstrations | {\"prompt\":\"a\",\"response\":\"b\"}\\nnot json\\n | line 2",
                "--preferences | {\"prompt\":\"a\",\"chosen\":\"b\",\"rejected\":\"b\"}\\n | line 1",
                "--prompts | {\"prompt\":\"Write a poem\"}\\n{\"prompt\":\"Sing\"}\\n | --preferences",
                "--config | sed: 1 | there is no setting sed; did you mean seed",
                "--config | ppo: {klCoefficient: 1e999} | ppo.klCoefficient must be ≥ 0 and finite, got Infinity",
                "--config | ppo: {minibatch: 5} | ppo.minibatch must divide ppo.rollout, got 5"
            })
    void aBrokenFileIsNamedWithTheRemedy(String option, String content, String message) throws IOException {
        Path file = directory.resolve(
                option.equals("--text") ? "input.txt" : option.equals("--config") ? "c.yaml" : "d.jsonl");
        Files.writeString(file, content.replace("\\n", "\n"));

        int code = rlhf("run", "--out", directory.resolve("run").toString(), option, file.toString());

        assertThat(err.toString()).contains(message).doesNotContain("\tat ");
        assertThat(code).isEqualTo(2);
    }

    @Test
    void aTextOfLessThanOneWindowLeavesNothingBehind() throws IOException {
        Path text = Files.writeString(directory.resolve("short.txt"), "The first.\n\nAnd the second.\n");
        Path run = directory.resolve("run");

        assertThat(rlhf("run", "--out", run.toString(), "--text", text.toString()))
                .isEqualTo(2);

        assertThat(err.toString())
                .containsPattern("short.txt: the part to train on comes to at most 1[27] tokens")
                .contains("model.context = 96", "Give more text", "--set model.context=");
        assertThat(run).doesNotExist();
    }

    @Test
    void aBackendThatCannotBeHadLeavesNoRunBehindThatStoresIt() throws IOException {
        Path run = directory.resolve("run");

        assertThat(rlhf("run", "--quick", "--out", run.toString(), "--backend", "cuda"))
                .isEqualTo(2);

        assertThat(err.toString()).contains("error: cannot select CUDA").doesNotContain("\tat ");
        assertThat(run).doesNotExist();
        assertThat(rlhf("generate", "--model", directory.toString(), "--backend", "cuda", "hello"))
                .isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({
        "--text, there is no file",
        "--preferences, there is no file",
        "--config, there is no such file",
        "--backend, the value of backend does not fit"
    })
    void aMissingFileIsNamed(String option, String message) {
        assertThat(rlhf("run", "--out", directory.resolve("run").toString(), option, "nowhere.txt"))
                .isEqualTo(2);
        assertThat(err.toString()).contains("error:", message).doesNotContain("\tat ");
    }

    @Test
    void aDirectoryInPlaceOfAFileIsCalledSo() {
        assertThat(rlhf("run", "--out", directory.resolve("run").toString(), "--text", directory.toString()))
                .isEqualTo(2);
        assertThat(err.toString()).contains("error: " + directory + " is a directory; name a file");
    }

    @Test
    void aRunThatWillNotFitIsRefusedBeforeAnythingIsWritten() {
        Path run = directory.resolve("run");

        int code = rlhf("run", "--out", run.toString(), "--set", "model.width=4096");

        assertThat(err.toString())
                .contains("error: ppo needs about", "memory.recompute=true", "RLHF_MEMORY=", "all stages")
                .doesNotContain("\tat ");
        assertThat(code).isEqualTo(2);
        assertThat(run).doesNotExist();
    }

    /** Sizes that would overflow, or that no machine has, are settings that are wrong and not runs that fail. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "model.width=1000000000 | model.heads=2 | model.width must be at most 16384, got 1000000000",
                "model.context=2147483647 | seed=1 | model.context must be at most 32768, got 2147483647",
                "pretraining.batch=2147483647 | seed=1 | pretraining.batch × model.context must be at most 16777216 tokens",
                "sft.batch=2147483647 | seed=1 | sft.batch × model.context must be at most 16777216 tokens",
                "reward.batch=2147483647 | seed=1 | reward.batch × comparisons.samplesPerPrompt × model.context must be",
                "ppo.rollout=100000000 | seed=1 | ppo.rollout × model.context must be at most 16777216 tokens, got 9600000000",
                "sft.epochs=2147483647 | seed=1 | sft.epochs must be at most 1000, got 2147483647",
                "evaluation.bestOf=2147483647 | seed=1 | evaluation.bestOf must be at most 1024, got 2147483647",
                "memory.microBatchTokens=2147483647 | seed=1 | memory.microBatchTokens must be at most 16777216, got"
            })
    void aSettingThatIsFarTooLargeIsNamedWithItsRuleBeforeAnythingIsWritten(
            String setting, String another, String message) {
        Path run = directory.resolve("run");

        // the file is not there, so that a setting that is let through fails here and trains nothing
        int code = rlhf("run", "--out", run.toString(), "--set", setting, "--set", another, "--text", "nowhere.txt");

        assertThat(err.toString()).contains(message).doesNotContain("\tat ");
        assertThat(code).isEqualTo(2);
        assertThat(run).doesNotExist();
    }

    @Test
    void anUnknownFlagOrCommandIsAnsweredInAFewLines() {
        assertThat(rlhf("run", "--sed", "1")).isEqualTo(2);
        assertThat(err.toString())
                .startsWith("error: Unknown option")
                .contains("--seed", "try: rlhf run --help")
                .doesNotContain("Usage:")
                .hasLineCount(3);
        err.getBuffer().setLength(0);
        assertThat(rlhf("fly")).isEqualTo(2);
        assertThat(err.toString()).contains("error:", "fly", "try: rlhf --help").doesNotContain("Usage:");
        assertThat(rlhf()).isEqualTo(2);
        assertThat(out.toString()).contains("pretrain", "chat", "report");
    }

    @ParameterizedTest
    @CsvSource({"0, must be from 1 to 256", "257, must be from 1 to 256", "many, is not an int"})
    void aNumberOfThreadsThatCannotBeIsRefused(String threads, String message) {
        assertThat(rlhf("report", "--threads", threads, "--out", directory.toString()))
                .isEqualTo(2);
        assertThat(err.toString()).contains("--threads", message);
    }

    @Test
    void theNumberOfThreadsIsThatOfTheLibrary() {
        String before = System.getProperty(ComputeThreads.PROPERTY);
        try {
            rlhf("report", "--threads", "3", "--out", directory.toString());
            assertThat(System.getProperty(ComputeThreads.PROPERTY)).isEqualTo("3");
        } finally {
            if (before == null) {
                System.clearProperty(ComputeThreads.PROPERTY);
            } else {
                System.setProperty(ComputeThreads.PROPERTY, before);
            }
        }
    }

    @Test
    void reportGenerateAndChatNeedARun() {
        for (String command : new String[] {"report", "generate", "chat"}) {
            String[] arguments = command.equals("generate")
                    ? new String[] {command, "--out", directory.toString(), "hello"}
                    : new String[] {command, "--out", directory.toString()};
            assertThat(rlhf(arguments)).isEqualTo(2);
        }
        assertThat(err.toString()).contains("no run is there", "holds no model that answers");
    }

    @Test
    void aRunsDirectoryThatIsNotThereIsSaidToBeMissing() {
        String none = directory.resolve("nope").toString();

        assertThat(rlhf("generate", "--out", none, "hi")).isEqualTo(2);
        assertThat(rlhf("chat", "--out", none)).isEqualTo(2);

        assertThat(err.toString().lines())
                .hasSize(2)
                .allMatch(line -> line.startsWith("error: there is no directory " + none + "; name a run's directory"));
    }

    @Test
    void aReportOfARunThatIsNotFinishedSaysHowFarItIsAndHowToFinishIt() throws IOException {
        Files.writeString(directory.resolve("config.yaml"), "seed: 1\n");
        Files.writeString(
                directory.resolve("metrics.jsonl"),
                "{\"stage\":\"pretraining\",\"step\":7,\"totalSteps\":9,\"pretraining/loss\":2.5}\n{\"stage\":\"pre");

        assertThat(rlhf("report", "--out", directory.toString())).isZero();

        assertThat(out.toString())
                .contains("not been evaluated yet; pretraining did 7 of 9 steps")
                .contains("rlhf run --resume --out " + directory)
                .doesNotContain("target");
        assertThat(directory.resolve("report.html")).content().contains("has not been evaluated yet");
    }

    /** Resuming it is refused for ever where its settings were what was wrong. */
    @Test
    void aReportOfARunThatTrainedNothingSaysThatAnotherMayHaveToBeBegun() throws IOException {
        Files.writeString(directory.resolve("config.yaml"), "seed: 1\n");

        assertThat(rlhf("report", "--out", directory.toString())).isZero();

        assertThat(out.toString())
                .contains("nothing was trained; if an error ended it, begin another run", "rlhf run --out …")
                .contains("if it was interrupted, finish it with: rlhf run --resume --out " + directory);
    }

    @Test
    void resumingWhereThereIsNoRunBeginsNone() {
        Path none = directory.resolve("none");

        assertThat(rlhf("run", "--quick", "--resume", "--out", none.toString())).isEqualTo(2);

        assertThat(err.toString()).contains("there is no run in " + none + " to resume", "without --resume");
        assertThat(none).doesNotExist();
    }

    @Test
    void aStageThatIsCalledTooEarlyLeavesNothingBehind() {
        Path none = directory.resolve("none");

        assertThat(rlhf("ppo", "--out", none.toString())).isEqualTo(2);

        assertThat(err.toString()).contains("ppo goes on with a run, and there is none in " + none, "rlhf tokenizer");
        assertThat(none).doesNotExist();
    }

    @ParameterizedTest
    @CsvSource({"run, file", "run, file/below", "report, file", "generate, file"})
    void anOutThatIsAFileIsNamedWithTheRemedy(String command, String out) throws IOException {
        Files.writeString(directory.resolve("file"), "mine");
        String named = directory.resolve(out).toString();

        assertThat(command.equals("generate") ? rlhf(command, "--out", named, "hello") : rlhf(command, "--out", named))
                .isEqualTo(2);

        assertThat(err.toString())
                .contains("--out " + named, directory.resolve("file") + " is a file", "name a directory");
        assertThat(directory.resolve("file")).hasContent("mine");
    }

    /** In a program of its own, as a backend is selected once in each and the environment is the program's. */
    @Test
    void theEnvironmentHasASayInWhatGenerateComputesOn() throws Exception {
        Path log = directory.resolve("log.txt");
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Rlhf.class.getName(),
                "generate",
                "--model",
                directory.toString(),
                "hello");
        builder.environment().put("RLHF4J_BACKEND", "abacus");

        int code = builder.redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start()
                .waitFor();

        assertThat(log).content().contains("RLHF4J_BACKEND must be one of auto, cpu, cuda, got \"abacus\"");
        assertThat(code).isEqualTo(2);
    }

    @Test
    void aStackTraceIsShownWhenAskedFor() {
        assertThat(rlhf("report", "--stacktrace", "--out", directory.toString()))
                .isEqualTo(2);
        assertThat(err.toString()).contains("error:", "\tat ");
    }

    private int rlhf(String... arguments) {
        return Rlhf.execute(new PrintWriter(out, true), new PrintWriter(err, true), arguments);
    }
}
