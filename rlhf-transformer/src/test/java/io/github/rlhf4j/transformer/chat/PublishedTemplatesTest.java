package io.github.rlhf4j.transformer.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Templates of published models, which are not part of this project: each renders as transformers renders it, or is refused. */
class PublishedTemplatesTest {

    private static final Logger LOG = LoggerFactory.getLogger(PublishedTemplatesTest.class);
    private static final LocalDateTime NOW = LocalDateTime.of(2026, 11, 27, 5, 9, 5);

    @TempDir
    Path root;

    /** Needs {@code RLHF4J_PEERS}, an environment with transformers, and {@code RLHF4J_TEMPLATES}, a directory of .jinja files. */
    @Test
    void noneRendersOtherwise() throws Exception {
        String peers = System.getenv("RLHF4J_PEERS");
        String templates = System.getenv("RLHF4J_TEMPLATES");
        assumeThat(peers).as("RLHF4J_PEERS names no Python environment").isNotNull();
        assumeThat(templates)
                .as("RLHF4J_TEMPLATES names no directory of templates")
                .isNotNull();
        Path errors = root.resolve("errors");
        Process process = new ProcessBuilder(peers + "/bin/python", "src/test/resources/chat/published.py", templates)
                .redirectError(errors.toFile())
                .start();
        JsonNode cases = new ObjectMapper().readTree(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).as(Files.readString(errors)).isZero();

        List<String> wrong = new ArrayList<>();
        Map<String, String> refused = new TreeMap<>();
        for (JsonNode one : cases) {
            String got;
            try {
                got = ChatTemplate.of(one.path("template").asText(), "<s>", "</s>")
                        .at(NOW)
                        .render(ChatGoldens.conversation(one), one.path("gen").asBoolean());
            } catch (IllegalArgumentException e) {
                if (one.has("render")) {
                    refused.put(one.path("name").asText(), e.getMessage());
                }
                continue;
            }
            if (one.has("render") && !got.equals(one.path("render").asText())) {
                wrong.add(one.path("name").asText() + "\nwanted " + one.path("render") + "\ngot " + got);
            }
        }
        LOG.info("{} cases, refused {}", cases.size(), refused);
        assertThat(wrong).isEmpty();
    }
}
