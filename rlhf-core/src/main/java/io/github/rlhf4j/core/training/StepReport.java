package io.github.rlhf4j.core.training;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What one step did.
 *
 * @param stage the trainer's name
 * @param step 1 for the first step
 * @param totalSteps steps there are in all
 * @param metrics by path ({@code "objective/kl"}), in the order a reader wants them
 */
public record StepReport(String stage, long step, long totalSteps, Map<String, Double> metrics) {

    public StepReport {
        metrics = Collections.unmodifiableMap(new LinkedHashMap<>(metrics));
    }

    /**
     * A metric's value.
     *
     * @throws IllegalArgumentException naming those there are
     */
    public double metric(String path) {
        Double value = metrics.get(path);
        if (value == null) {
            throw new IllegalArgumentException("no metric " + path + " in this step; there are " + metrics.keySet());
        }
        return value;
    }
}
