package io.github.rlhf4j.benchmarks.peer;

import java.util.Locale;

/** Measurements as text. */
final class Figures {

    private Figures() {}

    /** Such as {@code 412 ms} or {@code 3.21 s}. */
    static String duration(double seconds) {
        return seconds < 1
                ? String.format(Locale.ROOT, seconds < 0.01 ? "%.2f ms" : "%.0f ms", seconds * 1e3)
                : String.format(Locale.ROOT, "%.2f s", seconds);
    }

    /** Such as {@code 1,234 tokens/s}. */
    static String rate(double count, double seconds, String unit) {
        double rate = count / seconds;
        return String.format(Locale.ROOT, rate < 100 ? "%.1f %s/s" : "%,.0f %s/s", rate, unit);
    }

    /** Such as {@code 2.31 GiB}. */
    static String memory(double bytes) {
        return String.format(Locale.ROOT, "%.2f GiB", bytes / (1L << 30));
    }
}
