package io.github.rlhf4j.transformer.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Cuts a Jinja template into its parts, and the code of a part into words. */
final class TemplateScanner {

    /** A part of a template, delimiters included. */
    record Part(Kind kind, String text) {

        /** What stands between the delimiters and their whitespace control. */
        String code() {
            return text.substring(opening().length(), text.length() - closing().length());
        }

        String opening() {
            return isControl(text.charAt(2)) ? text.substring(0, 3) : text.substring(0, 2);
        }

        String closing() {
            int end = text.length();
            boolean control = end > opening().length() + 2 && isControl(text.charAt(end - 3));
            return text.substring(control ? end - 3 : end - 2);
        }

        private static boolean isControl(char c) {
            return c == '-' || c == '+';
        }
    }

    enum Kind {
        TEXT,
        COMMENT,
        PRINT,
        TAG
    }

    private static final Pattern WORD = Pattern.compile(
            "'(?:[^'\\\\]|\\\\.)*+'|\"(?:[^\"\\\\]|\\\\.)*+\"|[A-Za-z_]\\w*|\\d+(?:\\.\\d+)?|==|!=|<=|>=|//|\\*\\*|\\s+|.",
            Pattern.DOTALL);

    private TemplateScanner() {}

    static List<Part> parts(String template) {
        List<Part> parts = new ArrayList<>();
        int at = 0;
        while (at < template.length()) {
            int start = nextPart(template, at);
            if (start > at) {
                parts.add(new Part(Kind.TEXT, template.substring(at, start)));
            }
            if (start < template.length()) {
                Part part = part(template, start);
                parts.add(part);
                start += part.text().length();
            }
            at = start;
        }
        return parts;
    }

    /** The words of a part's code in order, whitespace included, so that together they are the code. */
    static List<String> words(String code) {
        List<String> words = new ArrayList<>();
        Matcher word = WORD.matcher(code);
        while (word.find()) {
            words.add(word.group());
        }
        return words;
    }

    private static int nextPart(String template, int from) {
        for (int i = from; i + 1 < template.length(); i++) {
            if (template.charAt(i) == '{' && "{%#".indexOf(template.charAt(i + 1)) >= 0) {
                return i;
            }
        }
        return template.length();
    }

    private static Part part(String template, int start) {
        return switch (template.charAt(start + 1)) {
            case '#' -> new Part(Kind.COMMENT, template.substring(start, commentEnd(template, start)));
            case '{' -> new Part(Kind.PRINT, template.substring(start, codeEnd(template, start, "}}")));
            default -> new Part(Kind.TAG, template.substring(start, codeEnd(template, start, "%}")));
        };
    }

    private static int commentEnd(String template, int start) {
        int end = template.indexOf("#}", start + 2);
        if (end < 0) {
            throw unfinished(template, start);
        }
        return end + 2;
    }

    private static int codeEnd(String template, int start, String closing) {
        Matcher word = WORD.matcher(template).region(start + 2, template.length());
        int braces = 0;
        while (word.find()) {
            char first = word.group().charAt(0);
            if (braces == 0 && template.startsWith(closing, word.start())) {
                return word.start() + 2;
            }
            braces += first == '{' ? 1 : first == '}' ? -1 : 0;
        }
        throw unfinished(template, start);
    }

    private static TemplateRefusedException unfinished(String template, int start) {
        return new TemplateRefusedException("opens "
                + template.substring(start, Math.min(start + 30, template.length())) + " ... and does not close it");
    }
}
