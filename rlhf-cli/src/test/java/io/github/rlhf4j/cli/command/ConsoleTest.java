package io.github.rlhf4j.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.cli.recipe.Stage;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConsoleTest {

    private final StringWriter out = new StringWriter();

    @Test
    void theFirstStepsForetellNothing() {
        try (Console console = new Console(new PrintWriter(out), false)) {
            for (int done : new int[] {1, 2, 3, 100}) {
                console.onProgress(Stage.EVALUATION, done, 100);
            }
        }

        List<String> lines = out.toString().lines().toList();
        assertThat(lines.get(0)).isEqualTo("   evaluation 1/100");
        assertThat(lines.get(1)).isEqualTo("   evaluation 2/100");
        assertThat(lines.get(2)).matches("   evaluation 3/100  \\(.*/s, .* left\\)");
        assertThat(lines.get(3)).matches("   evaluation 100/100  \\(.*/s, took .*\\)");
    }

    @Test
    void allOfFewStepsSayHowLongTheyTook() {
        try (Console console = new Console(new PrintWriter(out), false)) {
            console.onProgress(Stage.COMPARISONS, 1, 1);
        }

        assertThat(out.toString()).contains("comparisons 1/1  (", "took");
    }
}
