package io.github.rlhf4j.transformer.chat;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Templates render as transformers renders them, character for character, or refuse where it does. */
class ChatTemplateRendersTest {

    static List<String> templates() {
        return ChatGoldens.renders().stream()
                .map(render -> render.path("template").asText())
                .distinct()
                .collect(Collectors.toList());
    }

    @ParameterizedTest
    @MethodSource("templates")
    void rendersAsTransformers(String name) {
        List<String> wrong = new ArrayList<>();
        for (JsonNode render : ChatGoldens.renders()) {
            if (render.path("template").asText().equals(name)) {
                String wanted = render.path("render").asText("REFUSED");
                String got = render(render);
                if (!got.equals(wanted) && !(wanted.equals("REFUSED") && got.startsWith("REFUSED"))) {
                    wrong.add(render.path("messages") + " " + render.path("gen") + "\nwanted " + render.path("render")
                            + "\ngot " + got);
                }
            }
        }
        assertThat(wrong).isEmpty();
    }

    private static String render(JsonNode golden) {
        try {
            return ChatGoldens.template(
                            golden.path("template").asText(),
                            golden.path("bos").asText(),
                            golden.path("eos").asText())
                    .render(ChatGoldens.conversation(golden), golden.path("gen").asBoolean());
        } catch (IllegalArgumentException e) {
            return "REFUSED " + e.getMessage();
        }
    }
}
