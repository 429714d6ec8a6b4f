package io.github.rlhf4j.benchmarks.peer;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The Python environment in which the peers are installed.
 *
 * @param python its interpreter
 * @param scripts directory of our scripts
 */
record Peers(Path python, Path scripts) {

    /** Environment variable that names the virtual environment. */
    static final String VARIABLE = "RLHF4J_PEERS";

    private static final List<String> PACKAGES =
            List.of("torch==2.15.0", "transformers==4.57.6", "trl==0.24.0", "tokenizers==0.22.2");
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The environment that the variable names, if it is there. */
    static Optional<Peers> in(Map<String, String> environment, Path scripts) {
        String venv = environment.getOrDefault(VARIABLE, "");
        if (venv.isBlank()) {
            return Optional.empty();
        }
        return List.of("bin/python", "Scripts/python.exe").stream()
                .map(name -> Path.of(venv, name))
                .filter(Files::isExecutable)
                .map(python -> new Peers(python, scripts))
                .findFirst();
    }

    /** What to tell those who have no peers. */
    static String howToInstall() {
        return String.join(
                "\n",
                "skipped: there is no Python environment with the peers (" + VARIABLE
                        + " names none). To install them:",
                "",
                "  python3 -m venv ~/rlhf4j-peers",
                "  ~/rlhf4j-peers/bin/pip install " + String.join(" ", PACKAGES),
                "  export " + VARIABLE + "=~/rlhf4j-peers",
                "",
                "torch.compile needs a C++ compiler (g++) as well.");
    }

    /** A command that runs one of our scripts. */
    ProcessBuilder command(String script, int threads) {
        ProcessBuilder builder =
                new ProcessBuilder(python.toString(), scripts.resolve(script).toString());
        Map<String, String> environment = builder.environment();
        String count = String.valueOf(threads);
        environment.put("OMP_NUM_THREADS", count);
        environment.put("MKL_NUM_THREADS", count);
        environment.put("RAYON_NUM_THREADS", count);
        environment.put("TOKENIZERS_PARALLELISM", "true");
        environment.put("HF_HUB_OFFLINE", "1");
        environment.put("CUDA_VISIBLE_DEVICES", "");
        environment.put("PYTHONDONTWRITEBYTECODE", "1");
        return builder;
    }

    /** Such as {@code Python 3.11.4, torch 2.15.0}. */
    String versions() throws IOException {
        Process process = command("versions.py", 1)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String line = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return JSON.readValue(line, new TypeReference<Map<String, String>>() {}).entrySet().stream()
                .map(entry -> entry.getKey() + " " + entry.getValue())
                .collect(Collectors.joining(", "));
    }
}
