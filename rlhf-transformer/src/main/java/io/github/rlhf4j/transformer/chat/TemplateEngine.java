package io.github.rlhf4j.transformer.chat;

import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.LegacyOverrides;
import com.hubspot.jinjava.el.ext.JinjavaListELResolver;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.interpret.RenderResult;
import com.hubspot.jinjava.interpret.TemplateError;
import com.hubspot.jinjava.lib.filter.Filter;
import com.hubspot.jinjava.lib.fn.ELFunctionDefinition;
import java.util.Map;
import jinjava.javax.el.CompositeELResolver;
import jinjava.javax.el.MapELResolver;

/**
 * Jinjava as chat templates need it: Python's methods of strings, and no way
 * out. A template is somebody else's program: it reaches texts, lists and maps, never a Java object, and its output,
 * lists, loops and time are bounded.
 */
final class TemplateEngine {

    private static final long MAX_CHARACTERS = 16L << 20;
    private static final int MAX_ITEMS = 100_000;
    private static final int MAX_DEPTH = 20;
    private static final Jinjava JINJAVA = create();

    private TemplateEngine() {}

    /**
     * What the template prints.
     *
     * @param template in the dialect of Jinjava
     * @throws TemplateRefusedException at the template's first error, at its {@code raise_exception}, or at a bound
     */
    static String render(String template, Map<String, Object> bindings) {
        RenderResult result;
        try {
            result = JINJAVA.renderForResult(template, bindings);
        } catch (BoundedInterpreters.TemplateStoppedError e) {
            throw new TemplateRefusedException(e.getMessage());
        } catch (StackOverflowError e) {
            throw new TemplateRefusedException("is nested too deeply");
        }
        if (result.hasErrors()) {
            TemplateError error = result.getErrors().get(0);
            for (Throwable cause = error.getException(); cause != null; cause = cause.getCause()) {
                if (cause instanceof TemplateRefusedException refused) {
                    throw refused;
                }
            }
            throw new TemplateRefusedException("fails in line " + error.getLineno() + ": " + error.getMessage());
        }
        return result.getOutput();
    }

    private static Jinjava create() {
        Jinjava jinjava = new Jinjava(JinjavaConfig.newBuilder()
                .withNestedInterpretationEnabled(false) // or a message could hold Jinja
                .withMaxOutputSize(MAX_CHARACTERS)
                .withMaxStringLength(MAX_CHARACTERS)
                .withMaxListSize(MAX_ITEMS)
                .withMaxMapSize(MAX_ITEMS)
                .withMaxRenderDepth(MAX_DEPTH)
                .withElResolver(resolver())
                .withInterperterFactory(new BoundedInterpreters())
                .withLegacyOverrides(LegacyOverrides.newBuilder()
                        .withEvaluateMapKeys(true)
                        .withIterateOverMapKeys(true)
                        .withUseSnakeCasePropertyNaming(true)
                        .withUseNaturalOperatorPrecedence(true)
                        .withParseWhitespaceControlStrictly(true)
                        .withAllowAdjacentTextNodes(true)
                        .withUseTrimmingForNotesAndExpressions(true)
                        .withKeepNullableLoopValues(true)
                        .build())
                .build());
        jinjava.getGlobalContext().registerFilter(new Trim());
        jinjava.getGlobalContext().registerFilter(new ToJson());
        PythonFilters.all().forEach(jinjava.getGlobalContext()::registerFilter);
        jinjava.getGlobalContext().registerFunction(function(TemplateFunctions.REFUSE, String.class));
        jinjava.getGlobalContext().registerFunction(function("raise_exception", String.class));
        jinjava.getGlobalContext().registerFunction(function("strftime_now", String.class));
        jinjava.getGlobalContext().registerFunction(function("range", long.class, long[].class));
        return jinjava;
    }

    private static CompositeELResolver resolver() {
        CompositeELResolver resolver = new CompositeELResolver();
        resolver.add(new LibraryCalls());
        resolver.add(new LoopProperties());
        resolver.add(new MapELResolver(true));
        resolver.add(new JinjavaListELResolver(true));
        resolver.add(new PythonMethods());
        return resolver;
    }

    private static ELFunctionDefinition function(String name, Class<?>... parameters) {
        return new ELFunctionDefinition("", name, TemplateFunctions.class, name, parameters);
    }

    private static final class Trim implements Filter {

        @Override
        public String getName() {
            return "trim";
        }

        @Override
        public Object filter(Object value, JinjavaInterpreter interpreter, String... arguments) {
            if (arguments.length > 0) {
                throw new TemplateRefusedException("uses the filter trim with an argument, which is not supported");
            }
            return value == null ? "" : PythonText.strip(value.toString());
        }
    }

    /** Stands in branches for tools, which no conversation here has. */
    private static final class ToJson implements Filter {

        @Override
        public String getName() {
            return "tojson";
        }

        @Override
        public Object filter(Object value, JinjavaInterpreter interpreter, String... arguments) {
            throw new TemplateRefusedException(
                    "calls the filter tojson, which is supported only where it is not reached");
        }
    }
}
