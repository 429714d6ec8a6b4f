package io.github.rlhf4j.transformer.chat;

import io.github.rlhf4j.transformer.chat.TemplateScanner.Kind;
import io.github.rlhf4j.transformer.chat.TemplateScanner.Part;
import java.util.List;

/**
 * What is left of a template's text beside its tags, as {@code transformers} sets Jinja: {@code -} strips white space, the
 * line break after a tag goes ({@code trim_blocks}), and so does the indentation before one ({@code lstrip_blocks}). Jinjava
 * itself takes a space between two tags for an indentation wherever it stands.
 */
final class TemplateWhitespace {

    private TemplateWhitespace() {}

    /** The text of a part between its neighbours. */
    static String text(List<Part> parts, int at) {
        String text = parts.get(at).text();
        boolean startsLine = at == 0;
        if (at > 0) {
            Part before = parts.get(at - 1);
            char control = before.closing().charAt(0);
            if (control == '-') {
                text = PythonText.stripLeft(text);
            } else if (before.kind() != Kind.PRINT && control != '+' && text.startsWith("\n")) {
                text = text.substring(1);
                startsLine = true;
            }
        }
        if (at + 1 < parts.size()) {
            Part after = parts.get(at + 1);
            String opening = after.opening();
            if (opening.endsWith("-")) {
                return PythonText.stripRight(text);
            }
            int line = text.lastIndexOf('\n') + 1;
            if (!opening.endsWith("+")
                    && after.kind() != Kind.PRINT
                    && (line > 0 || startsLine)
                    && PythonText.isBlank(text.substring(line))) {
                return text.substring(0, line);
            }
        }
        return text;
    }
}
