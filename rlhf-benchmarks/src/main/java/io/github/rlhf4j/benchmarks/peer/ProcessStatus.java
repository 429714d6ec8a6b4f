package io.github.rlhf4j.benchmarks.peer;

import java.io.IOException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What Linux says of a process in {@code /proc/…/status}. */
final class ProcessStatus {

    private static final Pattern PEAK = Pattern.compile("VmHWM:\\s*(\\d+) kB");

    private ProcessStatus() {}

    /** The most memory the process has had resident, bytes. */
    static long peakBytes(List<String> status) throws IOException {
        for (String line : status) {
            Matcher peak = PEAK.matcher(line);
            if (peak.matches()) {
                return Long.parseLong(peak.group(1)) * 1024;
            }
        }
        throw new IOException("the process's status has no line VmHWM; is it alive?");
    }
}
