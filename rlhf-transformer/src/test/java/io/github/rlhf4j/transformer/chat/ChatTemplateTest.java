package io.github.rlhf4j.transformer.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rlhf4j.core.Conversation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ChatTemplateTest {

    private static final Conversation HELLO = Conversation.of("Hello");

    /** Tags that are not supported are refused by name, before anything is rendered. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '!',
            quoteCharacter = '`',
            value = {
                "{% include 'x' %} ! the tag include",
                "{% import 'x' as y %} ! the tag import",
                "{% extends 'x' %} ! the tag extends",
                "{% raw %}x{% endraw %} ! the tag raw",
                "{% for m in messages recursive %}{% endfor %} ! recursive",
                "{{ messages ! and does not close it"
            })
    void unsupportedTagsAreNamedAtOnce(String source, String name) {
        assertThatThrownBy(() -> ChatTemplate.of(source, "", ""))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("the chat template")
                .hasMessageContaining(name);
    }

    /** Expressions that Jinjava lacks or reads differently are refused by name where the template comes to them, and only there. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '!',
            quoteCharacter = '`',
            value = {
                "{% for m in messages if m.role %}{{ loop.index }}{% endfor %} ! for ... if",
                "{% for m in messages if m.role %}a{% else %}b{% endfor %} ! for ... if",
                "{{ messages[::2] }} ! the slice with a step",
                "{{ messages | fromyaml }} ! the filter fromyaml",
                "{{ messages is sameas 3 }} ! the test is sameas",
                "{% if messages is not sameas 3 %}{% endif %} ! the test is sameas",
                "{{ ''.getClass() }} ! the method getClass()",
                "{% set x = loop.getClass().forName('x') %} ! the method getClass()",
                "{% for x in cycler('a') %}{% endfor %} ! the function cycler()",
                "{{ rlhf4j_refuse('a') }} ! the function rlhf4j_refuse()",
                "{{ 2 ** 3 }} ! the operator **",
                "{{ '\\x41' }} ! the escape"
            })
    void unsupportedExpressionsAreNamedWhereTheyAreReached(String source, String name) {
        ChatTemplate template = ChatTemplate.of(source, "", "");
        assertThatThrownBy(() -> template.render(HELLO, true))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("the chat template uses")
                .hasMessageContaining(name);

        String notReached = "a{% if tools %}" + source + "{% endif %}b";
        assertThat(ChatTemplate.of(notReached, "", "").render(HELLO, true)).isEqualTo("ab");
    }

    /** No way from a text, a list, a map or a loop to a Java object. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{{ ''.class }}",
                "{{ ''['class'] }}",
                "{{ messages.class }}",
                "{{ messages[0].class.name }}",
                "{% for m in messages %}{{ loop['class'] }}{% endfor %}",
                "{{ ____int3rpr3t3r____.config }}",
                "{{ namespace['class'] }}",
                "{{ raise_exception.class }}"
            })
    void noTemplateReachesAJavaObject(String source) {
        String printed;
        try {
            printed = ChatTemplate.of(source, "", "").render(HELLO, true);
        } catch (IllegalArgumentException refused) {
            printed = "";
        }
        assertThat(printed).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}{% endfor %}{% endfor %}{% endfor %}",
                "{% set n = namespace(s='xxxxxxxx') %}{% for a in range(100) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
                "{% set n = namespace(s=[1, 2]) %}{% for a in range(100) %}{% set n.s = n.s + n.s %}{% endfor %}",
                "{% for a in range(1000) %}{% for b in range(1000) %}{{ 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' }}{% endfor %}{% endfor %}",
                "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
                "{% for i in range(100000000) %}{% endfor %}",
                "{{ [1, 2] }}",
                "{{ 1 == 1 }}",
                "{{ raise_exception('no') }}"
            })
    @Timeout(30)
    void whatHasNoEndOrNoTextIsRefused(String source) {
        ChatTemplate template = ChatTemplate.of(source, "", "");

        assertThatThrownBy(() -> template.render(HELLO, true))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("the chat template");
    }

    @Test
    void aTemplateFileComesBeforeTheTokenizersField(@TempDir Path directory) throws IOException {
        Files.writeString(
                directory.resolve("tokenizer_config.json"),
                "{\"bos_token\": {\"content\": \"<s>\"}, \"eos_token\": \"</s>\", \"chat_template\": \"field\"}");
        assertThat(ChatTemplate.read(directory).render(HELLO, true)).isEqualTo("field");

        Files.writeString(
                directory.resolve("chat_template.jinja"), "{{ bos_token ~ messages[0].content ~ eos_token }}\n");
        assertThat(ChatTemplate.read(directory).render(HELLO, true)).isEqualTo("<s>Hello</s>");
    }

    @Test
    void namedTemplatesAreFoundByName(@TempDir Path directory) throws IOException {
        Files.writeString(
                directory.resolve("tokenizer_config.json"),
                "{\"chat_template\": [{\"name\": \"rag\", \"template\": \"r\"}, {\"name\": \"default\", \"template\": \"d\"}]}");

        assertThat(ChatTemplate.read(directory).render(HELLO, true)).isEqualTo("d");
        assertThat(ChatTemplate.read(directory, "rag").render(HELLO, true)).isEqualTo("r");
        assertThatThrownBy(() -> ChatTemplate.read(directory, "tools"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("[rag, default]");
    }

    @Test
    void aDirectoryWithoutATemplateSaysSo(@TempDir Path directory) {
        assertThatThrownBy(() -> ChatTemplate.read(directory))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no chat template");
    }

    @Test
    void withoutADateATemplatePrintsItsOwn() {
        String source = "{{ strftime_now('%d %b %Y') if strftime_now is defined else 'none' }}";

        assertThat(ChatTemplate.of(source, "", "").render(HELLO, true)).isEqualTo("none");
        assertThatThrownBy(() ->
                        ChatTemplate.of("{{ strftime_now('%Y') }}", "", "").render(HELLO, true))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("ChatTemplate.at");
    }
}
