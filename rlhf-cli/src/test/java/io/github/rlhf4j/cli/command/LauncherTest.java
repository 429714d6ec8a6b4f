package io.github.rlhf4j.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The launcher reads sizes before it looks for Java, of which there is none here, so that nothing is ever started. */
@EnabledOnOs({OS.LINUX, OS.MAC})
class LauncherTest {

    @TempDir
    Path empty;

    @ParameterizedTest
    @CsvSource({"RLHF_MEMORY, abc", "RLHF_HEAP, abc", "RLHF_MEMORY, g", "RLHF_MEMORY, -1g", "RLHF_HEAP, 2.5g"})
    void aSizeThatIsNoneIsRefusedNamingItsVariable(String variable, String value) throws Exception {
        Process launcher = launch(variable, value);

        assertThat(output(launcher))
                .contains("rlhf: " + variable + " must be a size such as ", "got \"" + value + "\"");
        assertThat(launcher.waitFor()).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({"RLHF_MEMORY, 6g", "RLHF_HEAP, 512M", "RLHF_HEAP, 4000000000", "RLHF_MEMORY, ''"})
    void aSizeIsTaken(String variable, String value) throws Exception {
        Process launcher = launch(variable, value);

        assertThat(output(launcher)).contains("no Java at").doesNotContain("must be");
        assertThat(launcher.waitFor()).isEqualTo(1);
    }

    private Process launch(String variable, String value) throws IOException {
        ProcessBuilder builder = new ProcessBuilder("bash", Path.of("../rlhf").toString(), "help");
        builder.environment().keySet().removeIf(name -> name.startsWith("RLHF_"));
        builder.environment().put("JAVA_HOME", empty.toString());
        builder.environment().put(variable, value);
        return builder.redirectErrorStream(true).start();
    }

    private static String output(Process process) throws IOException {
        return new String(process.getInputStream().readAllBytes());
    }
}
