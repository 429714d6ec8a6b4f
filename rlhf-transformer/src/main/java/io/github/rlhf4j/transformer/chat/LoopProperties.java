package io.github.rlhf4j.transformer.chat;

import com.hubspot.jinjava.util.ForLoop;
import java.util.Map;
import java.util.function.Function;
import jinjava.javax.el.ELContext;
import jinjava.javax.el.MapELResolver;
import org.jspecify.annotations.Nullable;

/** What a template reads of {@code loop}. */
final class LoopProperties extends MapELResolver {

    private static final Map<String, Function<ForLoop, Object>> PROPERTIES = Map.of(
            "index", loop -> (long) loop.getIndex(),
            "index0", loop -> (long) loop.getIndex0(),
            "revindex", loop -> (long) loop.getRevindex(),
            "revindex0", loop -> (long) loop.getRevindex0(),
            "length", loop -> (long) loop.getLength(),
            "first", ForLoop::isFirst,
            "last", ForLoop::isLast);

    LoopProperties() {
        super(true);
    }

    @Override
    public @Nullable Object getValue(ELContext context, @Nullable Object base, @Nullable Object property) {
        if (!(base instanceof ForLoop loop)) {
            return null;
        }
        context.setPropertyResolved(true);
        Function<ForLoop, Object> read = PROPERTIES.get(String.valueOf(property));
        if (read == null) {
            throw new TemplateRefusedException("reads loop." + property + "; supported are " + PROPERTIES.keySet());
        }
        return read.apply(loop);
    }
}
