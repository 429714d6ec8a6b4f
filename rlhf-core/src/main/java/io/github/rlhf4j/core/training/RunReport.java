package io.github.rlhf4j.core.training;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a run ended.
 *
 * @param stepsRun steps done by this call
 * @param finished whether the trainer has no steps left; false when a listener stopped it
 * @param wallTime time the call took
 * @param last the last step's report, or null when no step was left to do
 */
public record RunReport(
        String stage,
        long stepsRun,
        boolean finished,
        Duration wallTime,
        @Nullable StepReport last) {}
