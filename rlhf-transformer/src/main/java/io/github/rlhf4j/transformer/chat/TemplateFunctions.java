package io.github.rlhf4j.transformer.chat;

import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The functions a chat template may call, under their names there. */
public final class TemplateFunctions {

    /** The variable a render's date is bound to, where there is one. */
    static final String NOW = "rlhf4j_now";

    /** What an expression that is not supported is replaced by. */
    static final String REFUSE = "rlhf4j_refuse";

    private static final int MAX_RANGE = 10_000;

    private static final Map<Character, String> DIRECTIVES = Map.of(
            'd', "dd", 'm', "MM", 'Y', "yyyy", 'b', "MMM", 'B', "MMMM", 'a', "EEE", 'A', "EEEE", 'H', "HH", 'M', "mm",
            'S', "ss");

    private TemplateFunctions() {}

    /** The template's own refusal. */
    public static Object raise_exception(String message) {
        throw new TemplateRefusedException("says: " + message);
    }

    /** Our refusal of what the template comes to. */
    public static Object rlhf4j_refuse(String what) {
        throw new TemplateRefusedException(what);
    }

    /** Python's {@code range}; Jinjava's own would stop short without a word. */
    public static List<Long> range(long first, long... more) {
        long start = more.length == 0 ? 0 : first;
        long end = more.length == 0 ? first : more[0];
        long step = more.length < 2 ? 1 : more[1];
        List<Long> numbers = new ArrayList<>();
        for (long i = start; step > 0 ? i < end : i > end; i += step) {
            if (step == 0 || more.length > 2 || numbers.size() == MAX_RANGE) {
                throw new TemplateRefusedException("calls range() for more than " + MAX_RANGE + " numbers");
            }
            numbers.add(i);
        }
        return numbers;
    }

    /** The render's date in the form of Python's {@code strftime}, English names. */
    public static String strftime_now(String form) {
        if (!(JinjavaInterpreter.getCurrent().getContext().get(NOW) instanceof LocalDateTime now)) {
            throw new TemplateRefusedException("asks for the date; give it one with ChatTemplate.at");
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < form.length(); i++) {
            char c = form.charAt(i);
            if (c != '%') {
                text.append(c);
                continue;
            }
            i++;
            String pattern = i < form.length() ? DIRECTIVES.get(form.charAt(i)) : null;
            if (pattern == null) {
                throw new TemplateRefusedException(
                        "formats a date as " + form + "; supported after % are " + DIRECTIVES.keySet());
            }
            text.append(DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(now));
        }
        return text.toString();
    }
}
