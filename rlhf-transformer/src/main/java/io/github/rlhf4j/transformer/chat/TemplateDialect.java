package io.github.rlhf4j.transformer.chat;

import io.github.rlhf4j.transformer.chat.TemplateScanner.Kind;
import io.github.rlhf4j.transformer.chat.TemplateScanner.Part;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Brings a template from Jinja to the dialect of Jinjava: spells anew what Jinjava reads differently. An expression
 * with a construct that is not known to mean the same in both becomes a call that refuses, so that the branches for tools,
 * which no conversation here has, do no harm. Tags, filters, tests, functions and methods are those of lists here, so that
 * a template reaches nothing else.
 */
final class TemplateDialect {

    private static final Set<String> TAGS = Set.of(
            "if",
            "elif",
            "else",
            "endif",
            "for",
            "endfor",
            "set",
            "endset",
            "macro",
            "endmacro",
            "break",
            "continue",
            "generation",
            "endgeneration");
    private static final Set<String> FILTERS = Set.of(
            "trim",
            "lower",
            "upper",
            "length",
            "list",
            "first",
            "last",
            "selectattr",
            "rejectattr",
            "reverse",
            "default",
            "join",
            "string",
            "capitalize",
            "replace",
            "safe",
            "tojson");
    private static final Set<String> TESTS =
            Set.of("defined", "undefined", "none", "string", "iterable", "mapping", "true", "false", "odd", "even");
    private static final Set<String> FUNCTIONS = Set.of("raise_exception", "namespace", "range", "strftime_now");
    private static final Set<String> ENDS_OF_NOT = Set.of("and", "or", "if", "else", ")", "]", "}", ",", ":");
    private static final Set<String> OPERATORS = Set.of(
            "==", "!=", "<", ">", "<=", ">=", "+", "-", "*", "%", "~", "|", ".", ",", ":", "=", "(", ")", "[", "]", "{",
            "}");

    private final Set<String> macros = new HashSet<>();
    private final Deque<Boolean> conditions = new ArrayDeque<>(); // of the open loops: whether they have one

    private TemplateDialect() {}

    /**
     * The template for Jinjava.
     *
     * @throws TemplateRefusedException naming the construct that is not supported
     */
    static String translate(String template) {
        return new TemplateDialect().translateParts(TemplateScanner.parts(template));
    }

    private String translateParts(List<Part> parts) {
        for (Part part : parts) {
            if (part.kind() == Kind.TAG) {
                List<String> words = meaningful(part.code());
                if (words.size() > 1 && words.get(0).equals("macro")) {
                    macros.add(words.get(1));
                }
            }
        }
        StringBuilder translated = new StringBuilder();
        for (int i = 0; i < parts.size(); i++) {
            Part part = parts.get(i);
            translated.append(
                    switch (part.kind()) {
                        case TEXT -> text(TemplateWhitespace.text(parts, i));
                        case COMMENT -> "";
                        case PRINT -> "{{ " + expression(part.code(), part) + " }}";
                        case TAG -> "{% " + tag(parts, i) + " %}";
                    });
        }
        return translated.toString();
    }

    /** Text that ends with a brace would make one of the tag after it, now that no space is between them. */
    private static String text(String text) {
        return text.endsWith("{") ? text.substring(0, text.length() - 1) + "{{ '{' }}" : text;
    }

    private String tag(List<Part> parts, int at) {
        Part part = parts.get(at);
        List<String> words = meaningful(part.code());
        String name = words.isEmpty() ? "" : words.get(0);
        if (!TAGS.contains(name)) {
            throw unsupported("the tag", name, part);
        }
        if (name.equals("for") && words.contains("recursive")) {
            throw unsupported("the loop", "recursive", part);
        }
        return switch (name) {
            case "generation" -> "if true"; // it marks text for transformers and prints nothing itself
            case "endgeneration" -> "endif";
            case "macro" -> part.code().strip();
            case "if", "elif" -> name + " " + expression(words.subList(1, words.size()), part);
            case "for" -> loop(words, parts, at);
            case "endfor" -> conditions.pop() ? "endif %}{% endfor" : name;
            case "set" -> {
                int value = words.indexOf("=") + 1;
                yield value == 0
                        ? String.join(" ", words) // a block
                        : String.join(" ", words.subList(0, value)).replace(" . ", ".") + " "
                                + expression(words.subList(value, words.size()), part);
            }
            default -> name;
        };
    }

    /** Jinjava knows no condition of a loop: a condition in the loop does the same where nobody asks for the loop's state. */
    private String loop(List<String> words, List<Part> parts, int at) {
        Part part = parts.get(at);
        int from = words.indexOf("in") + 1;
        int condition = loopCondition(words);
        conditions.push(condition >= 0);
        String head = String.join(" ", words.subList(0, from)) + " ";
        if (condition < 0) {
            return head + expression(words.subList(from, words.size()), part);
        }
        List<String> test = words.subList(condition + 1, words.size());
        if (test.contains("else") || readsLoop(parts, at)) {
            return head + refusal(unsupported("the condition of a loop that asks for its state,", "for ... if", part))
                    + " %}{% if true";
        }
        return head + expression(words.subList(from, condition), part) + " %}{% if " + expression(test, part);
    }

    private static boolean readsLoop(List<Part> parts, int at) {
        int depth = 0;
        for (int i = at; i < parts.size(); i++) {
            Part part = parts.get(i);
            List<String> words =
                    part.kind() == Kind.TAG || part.kind() == Kind.PRINT ? meaningful(part.code()) : List.of();
            String first = part.kind() == Kind.TAG && !words.isEmpty() ? words.get(0) : "";
            depth += first.equals("for") ? 1 : first.equals("endfor") ? -1 : 0;
            if (depth == 0) {
                return false;
            }
            if (words.contains("loop") || depth == 1 && first.equals("else") && elseOfLoop(parts, at, i)) {
                return true;
            }
        }
        return false;
    }

    private static boolean elseOfLoop(List<Part> parts, int loop, int at) {
        int open = 0;
        for (int i = loop + 1; i < at; i++) {
            List<String> words =
                    parts.get(i).kind() == Kind.TAG ? meaningful(parts.get(i).code()) : List.of("");
            open += words.get(0).equals("if") ? 1 : words.get(0).equals("endif") ? -1 : 0;
        }
        return open == 0;
    }

    private static int loopCondition(List<String> words) {
        int depth = 0;
        for (int i = 0; i < words.size(); i++) {
            depth += depthChange(words.get(i));
            if (depth == 0 && words.get(i).equals("if")) {
                return i;
            }
        }
        return -1;
    }

    private String expression(String code, Part part) {
        return expression(meaningful(code), part);
    }

    private String expression(List<String> words, Part part) {
        try {
            for (int i = 0; i < words.size(); i++) {
                check(words, i, part);
            }
            return String.join(" ", rewrite(words, part)).replace(" . ", ".");
        } catch (TemplateRefusedException e) {
            return refusal(e);
        }
    }

    /** A call that refuses when, and only when, the template comes there. */
    private static String refusal(TemplateRefusedException e) {
        return TemplateFunctions.REFUSE + "('" + e.getMessage().replaceAll("[^\\w .,:;()\\[\\]|=+*/~-]", " ") + "')";
    }

    private void check(List<String> words, int i, Part part) {
        String word = words.get(i);
        String before = i > 0 ? words.get(i - 1) : "";
        String after = i + 1 < words.size() ? words.get(i + 1) : "";
        boolean name = isName(word);
        if (isText(word)) {
            checkEscapes(word, part);
        } else if (!name && !Character.isDigit(word.charAt(0)) && !OPERATORS.contains(word)) {
            throw unsupported("the operator", word, part);
        } else if (before.equals("|") && !FILTERS.contains(word)) {
            throw unsupported("the filter", word, part);
        } else if (name && before.equals(".") && after.equals("(") && !PythonMethods.NAMES.contains(word)) {
            throw unsupported("the method", word + "()", part);
        } else if (name && after.equals("(") && isCall(before, word) && !isFunction(word)) {
            throw unsupported("the function", word + "()", part);
        } else if (isTestName(words, i) && !TESTS.contains(word)) {
            throw unsupported("the test", "is " + word, part);
        }
    }

    private static boolean isTestName(List<String> words, int i) {
        String before = i > 0 ? words.get(i - 1) : "";
        boolean negated = before.equals("not") && i > 1 && words.get(i - 2).equals("is");
        return negated || before.equals("is") && !words.get(i).equals("not");
    }

    private boolean isFunction(String word) {
        return FUNCTIONS.contains(word) || macros.contains(word);
    }

    private static boolean isCall(String before, String word) {
        return !before.equals(".")
                && !before.equals("|")
                && !Set.of("if", "elif", "in", "not", "and", "or", "else", "is").contains(word);
    }

    private static void checkEscapes(String literal, Part part) {
        for (int i = 1; i < literal.length() - 1; i++) {
            if (literal.charAt(i) == '\\') {
                i++;
                if ("nrt\\'\"".indexOf(literal.charAt(i)) < 0) {
                    throw unsupported("the escape", "\\" + literal.charAt(i), part);
                }
            }
        }
    }

    private static List<String> rewrite(List<String> words, Part part) {
        List<String> out = new ArrayList<>();
        for (int i = 0; i < words.size(); i++) {
            String word = words.get(i);
            if (word.equals("[") && isReversal(words, i)) {
                out.addAll(List.of("|", "reverse"));
                i += 5;
                if (i + 1 < words.size() && Set.of("[", ".").contains(words.get(i + 1))) {
                    throw unsupported("what follows the slice", "[::-1]", part);
                }
            } else if (word.equals(":")
                    && i + 1 < words.size()
                    && words.get(i + 1).equals(":")) {
                throw unsupported("the slice with a step", "[::]", part);
            } else if (isComparedFlag(words, i)) {
                out.addAll(word.equals("==") ? List.of("is") : List.of("is", "not"));
            } else if (isNamedArgument(words, i)) {
                int end = endOfArgument(words, i + 2);
                out.addAll(List.of(word, "=", "("));
                out.addAll(rewrite(words.subList(i + 2, end), part));
                out.add(")");
                i = end - 1;
            } else if (word.equals("not") && isPrefix(words, i)) {
                int end = endOfNot(words, i + 1);
                out.addAll(List.of("not", "("));
                out.addAll(rewrite(words.subList(i + 1, end), part));
                out.add(")");
                i = end - 1;
            } else {
                out.add(word);
            }
        }
        return out;
    }

    private static boolean isReversal(List<String> words, int i) {
        return i + 6 <= words.size() && words.subList(i, i + 6).equals(List.of("[", ":", ":", "-", "1", "]"));
    }

    /** Jinjava makes flags of both sides of a comparison with a flag. */
    private static boolean isComparedFlag(List<String> words, int i) {
        return Set.of("==", "!=").contains(words.get(i))
                && i + 1 < words.size()
                && Set.of("true", "false", "True", "False").contains(words.get(i + 1));
    }

    private static boolean isPrefix(List<String> words, int i) {
        boolean afterIs = i > 0 && words.get(i - 1).equals("is");
        boolean beforeIn = i + 1 < words.size() && words.get(i + 1).equals("in");
        return !afterIs && !beforeIn;
    }

    /** Jinjava takes only the next value for the argument, not the whole expression. */
    private static boolean isNamedArgument(List<String> words, int i) {
        return i > 0
                && i + 2 < words.size()
                && isName(words.get(i))
                && Set.of("(", ",").contains(words.get(i - 1))
                && words.get(i + 1).equals("=");
    }

    private static int endOfArgument(List<String> words, int from) {
        int depth = 0;
        for (int i = from; i < words.size(); i++) {
            if (depth == 0 && Set.of(",", ")").contains(words.get(i))) {
                return i;
            }
            depth += depthChange(words.get(i));
        }
        return words.size();
    }

    /** Python's {@code not} takes the whole comparison that follows, Jinjava's only the next value. */
    private static int endOfNot(List<String> words, int from) {
        int depth = 0;
        for (int i = from; i < words.size(); i++) {
            String word = words.get(i);
            if (depth == 0 && ENDS_OF_NOT.contains(word)) {
                return i;
            }
            depth += depthChange(word);
        }
        return words.size();
    }

    private static int depthChange(String word) {
        return Set.of("(", "[", "{").contains(word) ? 1 : Set.of(")", "]", "}").contains(word) ? -1 : 0;
    }

    private static List<String> meaningful(String code) {
        return TemplateScanner.words(code).stream().filter(w -> !w.isBlank()).toList();
    }

    private static boolean isText(String word) {
        return word.length() > 1 && (word.charAt(0) == '\'' || word.charAt(0) == '"');
    }

    private static boolean isName(String word) {
        return Character.isLetter(word.charAt(0)) || word.charAt(0) == '_';
    }

    private static TemplateRefusedException unsupported(String kind, String name, Part part) {
        return new TemplateRefusedException("uses " + kind + " " + name + " in " + part.text()
                + ", which is not supported (docs/chat-templates.md lists what is)");
    }
}
