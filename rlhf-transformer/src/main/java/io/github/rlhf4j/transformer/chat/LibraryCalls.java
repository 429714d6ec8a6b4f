package io.github.rlhf4j.transformer.chat;

import com.hubspot.jinjava.el.ext.JinjavaBeanELResolver;
import com.hubspot.jinjava.lib.exptest.ExpTest;
import com.hubspot.jinjava.lib.filter.Filter;
import java.util.Set;
import jinjava.javax.el.ELContext;
import org.jspecify.annotations.Nullable;

/** How Jinjava itself calls filters and tests: as methods of Java objects, the only ones that may be called. */
final class LibraryCalls extends JinjavaBeanELResolver {

    private static final Set<String> METHODS = Set.of("filter", "evaluate", "evaluateNegated");

    LibraryCalls() {
        super(true);
    }

    @Override
    public @Nullable Object getValue(ELContext context, @Nullable Object base, @Nullable Object property) {
        return null;
    }

    @Override
    public @Nullable Object invoke(
            ELContext context, Object base, Object method, Class<?>[] types, Object[] arguments) {
        boolean library = base instanceof Filter || base instanceof ExpTest;
        return library && METHODS.contains(method.toString())
                ? super.invoke(context, base, method, types, arguments)
                : null;
    }
}
