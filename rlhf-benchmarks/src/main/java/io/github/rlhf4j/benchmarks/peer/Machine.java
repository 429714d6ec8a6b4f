package io.github.rlhf4j.benchmarks.peer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The computer that measures. */
final class Machine {

    private Machine() {}

    /** Such as {@code AMD EPYC, 2 cores, 23.4 GiB, Linux 6.1.0 amd64}. */
    static String describe() throws IOException {
        return String.join(
                ", ",
                value("/proc/cpuinfo", "model name", System.getProperty("os.arch")),
                Runtime.getRuntime().availableProcessors() + " cores",
                memory(value("/proc/meminfo", "MemTotal", "")),
                System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                        + System.getProperty("os.arch"));
    }

    private static String memory(String total) {
        return total.endsWith(" kB")
                ? Figures.memory(1024.0 * Long.parseLong(total.substring(0, total.length() - 3)))
                : "memory unknown";
    }

    private static String value(String file, String key, String otherwise) throws IOException {
        Path path = Path.of(file);
        return Files.exists(path) ? value(Files.readAllLines(path), key, otherwise) : otherwise;
    }

    /** What follows the key and a colon in the first line that begins with it. */
    static String value(List<String> lines, String key, String otherwise) {
        return lines.stream()
                .filter(line -> line.startsWith(key))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse(otherwise);
    }
}
