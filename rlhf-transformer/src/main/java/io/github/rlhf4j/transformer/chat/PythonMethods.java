package io.github.rlhf4j.transformer.chat;

import com.google.common.base.Splitter;
import java.beans.FeatureDescriptor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import jinjava.javax.el.ELContext;
import jinjava.javax.el.ELResolver;
import org.jspecify.annotations.Nullable;

/**
 * The methods of Python's strings, and of dictionaries {@code get}, that chat templates call. A string has no properties but its characters and no other methods, so that no
 * template reaches a Java object through one.
 */
final class PythonMethods extends ELResolver {

    /** The methods a template may call, all of them on strings but {@code get}. */
    static final Set<String> NAMES = Set.of(
            "strip",
            "lstrip",
            "rstrip",
            "split",
            "startswith",
            "endswith",
            "lower",
            "upper",
            "replace",
            "title",
            "capitalize",
            "get");

    private static final Pattern INDEX = Pattern.compile("-?\\d{1,9}");

    @Override
    public @Nullable Object getValue(ELContext context, Object base, Object property) {
        if (!(base instanceof String text)) {
            return null;
        }
        context.setPropertyResolved(true);
        return INDEX.matcher(property.toString()).matches()
                ? character(text, Integer.parseInt(property.toString()))
                : null;
    }

    private static @Nullable String character(String text, int index) {
        int at = index < 0 ? text.length() + index : index;
        return at >= 0 && at < text.length() ? text.substring(at, at + 1) : null;
    }

    @Override
    public @Nullable Object invoke(
            ELContext context, Object base, Object method, Class<?>[] types, Object[] arguments) {
        context.setPropertyResolved(true);
        if (base instanceof Map<?, ?> map && method.equals("get") && (arguments.length == 1 || arguments.length == 2)) {
            Object value = map.get(arguments[0]);
            return value != null || arguments.length == 1 ? value : arguments[1];
        }
        if (!(base instanceof String text)) {
            throw new TemplateRefusedException("calls the method " + method + "() of something that is not a text");
        }
        for (Object argument : arguments) {
            if (!(argument instanceof String)) {
                throw new TemplateRefusedException(
                        "calls the method " + method + "() with " + argument + ", where only texts are supported");
            }
        }
        return call(text, method + "/" + arguments.length, arguments);
    }

    private static Object call(String text, String signature, Object[] arguments) {
        String first = arguments.length > 0 ? (String) arguments[0] : "";
        return switch (signature) {
            case "strip/0" -> PythonText.strip(text);
            case "lstrip/0" -> PythonText.stripLeft(text);
            case "rstrip/0" -> PythonText.stripRight(text);
            case "strip/1" -> PythonText.stripRight(PythonText.stripLeft(text, first), first);
            case "lstrip/1" -> PythonText.stripLeft(text, first);
            case "rstrip/1" -> PythonText.stripRight(text, first);
            case "split/1" -> new ArrayList<>(Splitter.on(first).splitToList(text));
            case "startswith/1" -> text.startsWith(first);
            case "endswith/1" -> text.endsWith(first);
            case "lower/0" -> text.toLowerCase(Locale.ROOT);
            case "upper/0" -> text.toUpperCase(Locale.ROOT);
            case "title/0" -> PythonText.title(text);
            case "capitalize/0" -> PythonText.capitalize(text);
            case "replace/2" -> text.replace(first, (String) arguments[1]);
            default ->
                throw new TemplateRefusedException(
                        "calls the method " + signature + " (name/number of arguments), which is not supported");
        };
    }

    @Override
    public boolean isReadOnly(ELContext context, Object base, Object property) {
        return true;
    }

    @Override
    public void setValue(ELContext context, Object base, Object property, Object value) {}

    @Override
    public @Nullable Class<?> getType(ELContext context, Object base, Object property) {
        return null;
    }

    @Override
    public @Nullable Class<?> getCommonPropertyType(ELContext context, Object base) {
        return null;
    }

    @Override
    public Iterator<FeatureDescriptor> getFeatureDescriptors(ELContext context, Object base) {
        return Collections.emptyIterator();
    }
}
