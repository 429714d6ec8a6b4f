package io.github.rlhf4j.cli.report;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a run came to: the contents of {@code results.json}.
 *
 * @param measurements in the order of the report
 * @param calibration the reward model's reliability on unseen comparisons; possibly empty
 * @param bestOf the supervised model with the best of n answers picked, beside PPO; possibly empty
 * @param warnings what a reader of the numbers must know; possibly empty, as in results written before there were any
 */
public record RunResults(
        List<Measurement> measurements,
        List<CalibrationBin> calibration,
        List<SelectionPoint> bestOf,
        List<String> warnings) {

    public RunResults {
        measurements = List.copyOf(measurements);
        calibration = List.copyOf(calibration);
        bestOf = List.copyOf(bestOf);
        warnings = List.copyOf(Objects.requireNonNullElse(warnings, List.of()));
    }

    /** Of a run that has not been evaluated. */
    static RunResults none() {
        return new RunResults(List.of(), List.of(), List.of(), List.of());
    }

    /**
     * One number of the results.
     *
     * @param path its name as a metric: {@code gold/share_ppo}
     * @param label what it is, for people
     * @param value the number
     * @param atLeast the target, or null where there is none
     */
    public record Measurement(
            String path,
            String label,
            double value,
            @Nullable Double atLeast) {

        /** {@code pass}, {@code miss}, or nothing where there is no target. */
        public String verdict() {
            return atLeast == null ? "" : value >= atLeast ? "pass" : "miss";
        }
    }

    /**
     * Comparisons whose predicted probability fell into one bin.
     *
     * @param predicted mean predicted probability that the first response wins
     * @param observed share of them where it did
     * @param count comparisons in the bin
     */
    public record CalibrationBin(double predicted, double observed, int count) {}

    /**
     * How good the answers of one way to answer are.
     *
     * @param name {@code SFT}, {@code best of 4}, {@code PPO}
     * @param kl KL from the supervised policy, nats per sequence; for best of n its bound log n − (n − 1)/n
     * @param gold share of answers that meet the hidden taste; NaN without one
     * @param learned mean score of the reward model
     */
    public record SelectionPoint(String name, double kl, double gold, double learned) {}

    /** The measurement of this path, or NaN. */
    public double value(String path) {
        return measurements.stream()
                .filter(m -> m.path().equals(path))
                .mapToDouble(Measurement::value)
                .findFirst()
                .orElse(Double.NaN);
    }

    /** Whether each target is met. */
    public boolean allTargetsMet() {
        return measurements.stream().noneMatch(m -> m.verdict().equals("miss"));
    }
}
