package io.github.rlhf4j.transformer.backend;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.nd4j.linalg.factory.Nd4j;

/** What {@link ComputeBackendTest} runs in a JVM of its own; a step is done for each argument, in order. */
public final class SelectInFreshJvm {

    private SelectInFreshJvm() {}

    /** Steps: {@code touch} creates a tensor, {@code ensure} selects as configured, others name a choice. */
    public static void main(String[] steps) {
        Deque<String> said = new ArrayDeque<>();
        for (String step : List.of(steps)) {
            try {
                said.add(perform(step));
            } catch (IllegalStateException | IllegalArgumentException e) {
                said.add(e.getClass().getSimpleName() + ": " + e.getMessage());
            }
        }
        said.forEach(line -> System.out.println("SAID " + line));
    }

    private static String perform(String step) {
        if (step.equals("touch")) {
            return "sum " + Nd4j.ones(3).sumNumber();
        }
        ComputeDevice device = step.equals("ensure")
                ? ComputeBackend.ensureSelected()
                : ComputeBackend.select(ComputeBackend.valueOf(step));
        return device.backend() + " " + device.backendClass() + " threads " + device.threads();
    }
}
