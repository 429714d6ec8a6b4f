package io.github.rlhf4j.transformer.chat;

import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.filter.AdvancedFilter;
import com.hubspot.jinjava.lib.filter.Filter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Filters that Jinjava has otherwise than Jinja. */
final class PythonFilters {

    /** What a filter makes of a value and its arguments. */
    @FunctionalInterface
    private interface Body {
        @Nullable
        Object apply(@Nullable Object value, Object[] arguments);
    }

    private PythonFilters() {}

    static List<Filter> all() {
        return List.of(
                new PythonFilter("default", PythonFilters::defaultOf),
                new PythonFilter("join", PythonFilters::join),
                new PythonFilter("string", (value, arguments) -> text("string", value)),
                new PythonFilter("safe", (value, arguments) -> text("safe", value)),
                new PythonFilter("capitalize", (value, arguments) -> PythonText.capitalize(text("capitalize", value))),
                new PythonFilter("replace", PythonFilters::replace));
    }

    /** With true for a second argument the first replaces all that counts as false. */
    private static @Nullable Object defaultOf(@Nullable Object value, Object[] arguments) {
        Object otherwise = arguments.length > 0 ? arguments[0] : "";
        boolean falseToo = arguments.length > 1 && Boolean.TRUE.equals(arguments[1]);
        boolean isFalse = Boolean.FALSE.equals(value)
                || value instanceof CharSequence text && text.length() == 0
                || value instanceof Number number && number.doubleValue() == 0
                || value instanceof Collection<?> list && list.isEmpty()
                || value instanceof Map<?, ?> map && map.isEmpty();
        return value == null || falseToo && isFalse ? otherwise : value;
    }

    private static String join(@Nullable Object value, Object[] arguments) {
        if (!(value instanceof Collection<?> list) || arguments.length > 1) {
            throw new TemplateRefusedException("joins something that is not a list, or by an attribute");
        }
        List<String> texts = new ArrayList<>();
        list.forEach(item -> texts.add(text("join", item)));
        return String.join(arguments.length == 0 ? "" : text("join", arguments[0]), texts);
    }

    private static String replace(@Nullable Object value, Object[] arguments) {
        if (arguments.length != 2) {
            throw new TemplateRefusedException("uses the filter replace with a count, which is not supported");
        }
        return text("replace", value).replace(text("replace", arguments[0]), text("replace", arguments[1]));
    }

    private static String text(String filter, @Nullable Object value) {
        if (value instanceof CharSequence || value instanceof Long || value instanceof Integer) {
            return value.toString();
        }
        throw new TemplateRefusedException(
                "uses the filter " + filter + " on " + value + "; only texts and whole numbers are supported");
    }

    private record PythonFilter(String name, Body body) implements AdvancedFilter {

        @Override
        public String getName() {
            return name;
        }

        @Override
        public @Nullable Object filter(
                @Nullable Object value, JinjavaInterpreter interpreter, Object[] arguments, Map<String, Object> named) {
            if (!named.isEmpty()) {
                throw new TemplateRefusedException(
                        "uses the filter " + name + " with named arguments, which are not supported");
            }
            return body.apply(value, arguments);
        }
    }
}
