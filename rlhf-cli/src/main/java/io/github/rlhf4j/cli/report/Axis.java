package io.github.rlhf4j.cli.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.DoubleStream;

/** A linear axis with round ticks, which maps values to pixels. */
record Axis(double low, double high, double step, double fromPixel, double toPixel) {

    /** An axis that holds all finite values and ends on round ticks. */
    static Axis over(DoubleStream values, double fromPixel, double toPixel) {
        var range = values.filter(Double::isFinite).summaryStatistics();
        double min = range.getCount() == 0 ? 0 : range.getMin();
        double max = range.getCount() == 0 ? 1 : range.getMax();
        if (max - min < 1e-12 * Math.max(1, Math.abs(max))) {
            double pad = Math.max(Math.abs(max) * 0.1, 0.5);
            min -= pad;
            max += pad;
        }
        double step = roundStep((max - min) / 5);
        return new Axis(Math.floor(min / step) * step, Math.ceil(max / step) * step, step, fromPixel, toPixel);
    }

    /** The smallest of 1, 2, 2.5, 5 times a power of ten that is not below {@code step}. */
    private static double roundStep(double step) {
        double power = Math.pow(10, Math.floor(Math.log10(step)));
        for (double factor : new double[] {1, 2, 2.5, 5}) {
            if (factor * power >= step) {
                return factor * power;
            }
        }
        return 10 * power;
    }

    double pixel(double value) {
        return fromPixel + (value - low) / (high - low) * (toPixel - fromPixel);
    }

    List<Double> ticks() {
        List<Double> ticks = new ArrayList<>();
        long count = Math.round((high - low) / step);
        for (long i = 0; i <= count; i++) {
            ticks.add(low + i * step);
        }
        return ticks;
    }

    /** A tick's number without the noise of binary fractions. */
    static String label(double tick) {
        if (Math.abs(tick) < 1e-12) {
            return "0";
        }
        BigDecimal rounded = new BigDecimal(tick).round(new MathContext(6)).stripTrailingZeros();
        return Math.abs(tick) >= 1e7 || Math.abs(tick) < 1e-4 ? rounded.toString() : rounded.toPlainString();
    }
}
