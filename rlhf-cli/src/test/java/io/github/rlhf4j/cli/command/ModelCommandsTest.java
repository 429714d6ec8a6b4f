package io.github.rlhf4j.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.cli.recipe.Recipe;
import io.github.rlhf4j.cli.recipe.RunDirectory;
import io.github.rlhf4j.cli.recipe.RunMonitor;
import io.github.rlhf4j.cli.recipe.Stage;
import io.github.rlhf4j.cli.recipe.TinyRun;
import io.github.rlhf4j.core.training.StopSignal;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code generate} and {@code chat} on a model that a run has left. */
class ModelCommandsTest {

    @TempDir
    static Path run;

    @TempDir
    Path copies;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @BeforeAll
    static void aFineTunedModel() throws IOException {
        RunDirectory directory = new RunDirectory(run);
        directory.open(TinyRun.config(), false);
        Recipe recipe =
                new Recipe(TinyRun.config(), directory, () -> TinyRun.DICTIONARY, RunMonitor.SILENT, new StopSignal());
        for (Stage stage : List.of(Stage.TOKENIZER, Stage.PRETRAINING, Stage.SFT)) {
            recipe.runOnly(stage);
        }
    }

    @Test
    void generateAnswersEachPromptTheSameWayForTheSameSeed() {
        assertThat(rlhf("generate", "--out", run.toString(), "--max-tokens", "12", "hello", "What is a star?"))
                .isZero();
        String first = out.toString();
        out.getBuffer().setLength(0);
        rlhf("generate", "--out", run.toString(), "--max-tokens", "12", "hello", "What is a star?");

        assertThat(first).isNotBlank().isEqualTo(out.toString());
        out.getBuffer().setLength(0);
        rlhf("generate", "--out", run.toString(), "--max-tokens", "12", "--seed", "2", "hello", "What is a star?");
        assertThat(out.toString()).isNotEqualTo(first);
    }

    @Test
    void answersOnRoundedWeights() {
        assertThat(rlhf("generate", "--out", run.toString(), "--max-tokens", "12", "--int8", "hello"))
                .as(err.toString())
                .isZero();
        assertThat(out.toString()).isNotBlank();
        assertThat(chat("hello there\n", "--max-tokens", "12", "--int8"))
                .as(err.toString())
                .isZero();
    }

    @Test
    void aPromptThatDoesNotFitOrANumberOutOfRangeIsExitCode2() {
        assertThat(rlhf("generate", "--out", run.toString(), "far too long ".repeat(100)))
                .isEqualTo(2);
        assertThat(err.toString()).contains("error:", "tokens").doesNotContain("\tat ");
        assertThat(rlhf("generate", "--out", run.toString(), "--top-p", "7", "hello"))
                .isEqualTo(2);
        assertThat(err.toString()).contains("topP");
    }

    @Test
    void aModelThatWasPretrainedOnlyIsNotAskedAnything() {
        String pretrained = run.resolve("pretraining/model").toString();

        for (String[] arguments : List.of(
                new String[] {"generate", "--model", pretrained, "hello"},
                new String[] {"chat", "--model", pretrained})) {
            assertThat(rlhf(arguments)).isEqualTo(2);
            assertThat(err.toString())
                    .contains("error: " + pretrained + " was pretrained only and never taught to answer", "sft/model");
            err.getBuffer().setLength(0);
        }

        String fineTuned = run.resolve("sft/model").toString();
        assertThat(rlhf("generate", "--model", fineTuned, "--max-tokens", "2", "hello"))
                .as(err.toString())
                .isZero();
    }

    @Test
    void theBackendIsNamedAsTheHelpSaysInAnyCase() {
        for (String backend : List.of("cpu", "CPU", "auto")) {
            assertThat(rlhf("generate", "--out", run.toString(), "--max-tokens", "2", "--backend", backend, "hello"))
                    .as(err.toString())
                    .isZero();
        }
        assertThat(rlhf("generate", "--out", run.toString(), "--backend", "abacus", "hello"))
                .isEqualTo(2);
    }

    @Test
    void aFileOfTheUsersBesideTheModelDoesNoHarmAndAnAlteredOneDoes() throws IOException {
        Path copy = Files.createDirectory(copies.resolve("model"));
        try (Stream<Path> files = Files.list(run.resolve("sft/model"))) {
            for (Path file : files.toList()) {
                Files.copy(file, copy.resolve(file.getFileName()));
            }
        }
        Files.writeString(copy.resolve("README.md"), "My model.\n");

        assertThat(rlhf("generate", "--model", copy.toString(), "--max-tokens", "2", "hello"))
                .as(err.toString())
                .isZero();

        Files.writeString(copy.resolve("config.json"), " ", StandardOpenOption.APPEND);
        assertThat(rlhf("generate", "--model", copy.toString(), "hello")).isEqualTo(2);
        assertThat(err.toString()).contains("config.json was altered");
    }

    /** Out to each form, and what is written is a model again. */
    @Test
    void inspectsAndExports() {
        String model = run.resolve("sft/model").toString();
        assertThat(rlhf("inspect", model)).as(err.toString()).isZero();
        assertThat(out.toString()).contains("parameters", "LAYER", "BytePairTokenizer", "memory to train");

        for (String form : List.of("directory", "model.gguf")) {
            String target = copies.resolve(form).toString();
            assertThat(rlhf("export", model, target, "--type", "f16"))
                    .as(err.toString())
                    .isZero();
            assertThat(rlhf("export", model, target)).isEqualTo(2);
            assertThat(err.toString()).contains("exists already");
            err.getBuffer().setLength(0);
            assertThat(rlhf("generate", "--model", target, "--max-tokens", "4", "hello"))
                    .as(err.toString())
                    .isZero();
            assertThat(rlhf("generate", "--complete", "--model", target, "--max-tokens", "4", "hello"))
                    .as(err.toString())
                    .isZero();
        }
        assertThat(rlhf("export", model, copies.resolve("model.bin").toString()))
                .isEqualTo(2);
        assertThat(err.toString()).contains("llama2.c runs LLaMA");
        err.getBuffer().setLength(0);
        assertThat(rlhf("export", model, copies.resolve("other").toString(), "--type", "q8_0"))
                .isEqualTo(2);
        assertThat(err.toString()).contains("f32, f16 or bf16");
        err.getBuffer().setLength(0);
        assertThat(rlhf("inspect", copies.resolve("nothing").toString())).isEqualTo(2);
        assertThat(err.toString()).contains("does not exist");
    }

    @Test
    void chatAnswersForgetsWhatDoesNotFitAndSurvivesAMessageThatIsTooLong() {
        String turns = "hello there\n".repeat(6) + "far too long ".repeat(100) + "\nand again\n";

        int code = chat(turns, "--max-tokens", "20");

        assertThat(err.toString()).isEmpty();
        assertThat(code).isZero();
        assertThat(out.toString().split("model: ")).hasSize(9);
        assertThat(out.toString()).containsOnlyOnce("model: (").contains("tokens");
    }

    private int chat(String typed, String... options) {
        InputStream before = System.in;
        System.setIn(new ByteArrayInputStream(typed.getBytes(StandardCharsets.UTF_8)));
        try {
            String[] arguments = new String[options.length + 3];
            arguments[0] = "chat";
            arguments[1] = "--out";
            arguments[2] = run.toString();
            System.arraycopy(options, 0, arguments, 3, options.length);
            return rlhf(arguments);
        } finally {
            System.setIn(before);
        }
    }

    private int rlhf(String... arguments) {
        return Rlhf.execute(new PrintWriter(out, true), new PrintWriter(err, true), arguments);
    }
}
