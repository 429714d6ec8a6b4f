package io.github.rlhf4j.transformer;

import io.github.rlhf4j.transformer.kernels.FusedKernels;
import io.github.rlhf4j.transformer.kernels.Kernels;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/** Kernels of which one call fails, as when memory runs out in the middle of a pass. */
final class FailingKernels {

    /** Thrown in place of the call. */
    static final class Failure extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private final FusedKernels fused = new FusedKernels();
    private int calls;
    private int failsAt;

    Kernels kernels() {
        return (Kernels) Proxy.newProxyInstance(
                Kernels.class.getClassLoader(), new Class<?>[] {Kernels.class}, (self, method, arguments) -> {
                    if (++calls == failsAt) {
                        throw new Failure();
                    }
                    try {
                        return method.invoke(fused, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    /** Lets the call number {@code call}, counted from now and from 1, fail; 0 for none. */
    void failAt(int call) {
        calls = 0;
        failsAt = call;
    }

    /** Calls since {@link #failAt}. */
    int calls() {
        return calls;
    }
}
