package io.github.rlhf4j.benchmarks.peer;

import java.util.Arrays;
import org.apache.commons.math3.stat.StatUtils;
import org.apache.commons.math3.stat.descriptive.rank.Median;

/**
 * Repeated measurements of one thing, in the order they were taken.
 *
 * @param values at least one, finite, in one unit
 */
record Samples(double[] values) {

    Samples {
        values = values.clone();
        if (values.length == 0 || !Arrays.stream(values).allMatch(Double::isFinite)) {
            throw new IllegalArgumentException(
                    "measurements must be finite, and at least one, got " + Arrays.toString(values));
        }
    }

    static Samples of(double... values) {
        return new Samples(values);
    }

    double median() {
        return new Median().evaluate(values);
    }

    double min() {
        return StatUtils.min(values);
    }

    double max() {
        return StatUtils.max(values);
    }

    int count() {
        return values.length;
    }
}
