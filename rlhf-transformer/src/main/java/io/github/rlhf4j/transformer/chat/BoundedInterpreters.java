package io.github.rlhf4j.transformer.chat;

import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.interpret.Context;
import com.hubspot.jinjava.interpret.InterpreterFactory;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Interpreters that stop at a deadline and print only what Jinjava prints as Jinja does. */
final class BoundedInterpreters implements InterpreterFactory {

    private static final long SECONDS = 5;

    @Override
    public JinjavaInterpreter newInstance(JinjavaInterpreter original) {
        return new Bounded(original);
    }

    @Override
    public JinjavaInterpreter newInstance(Jinjava application, Context context, JinjavaConfig config) {
        return new Bounded(application, context, config);
    }

    private static final class Bounded extends JinjavaInterpreter {

        private final long deadline;

        Bounded(JinjavaInterpreter original) {
            super(original);
            this.deadline = ((Bounded) original).deadline;
        }

        Bounded(Jinjava application, Context context, JinjavaConfig config) {
            super(application, context, config);
            this.deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        }

        /** Every tag and every printed value passes here, and so every turn of a loop that contains either. */
        @Override
        public Object resolveELExpression(String expression, int line) {
            if (System.nanoTime() > deadline) {
                throw new TemplateStoppedError();
            }
            return super.resolveELExpression(expression, line);
        }

        @Override
        public String getAsString(@Nullable Object value) {
            if (value instanceof Boolean || value instanceof Double || value instanceof Iterable) {
                throw new TemplateRefusedException(
                        "prints " + value + ", which is not a text; only texts and whole numbers are supported");
            }
            return super.getAsString(value);
        }
    }

    /** An error, because the interpreter catches exceptions and goes on. */
    static final class TemplateStoppedError extends Error {

        private static final long serialVersionUID = 1L;

        TemplateStoppedError() {
            super("takes longer than " + SECONDS + " seconds", null, false, false);
        }
    }
}
