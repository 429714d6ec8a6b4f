package io.github.rlhf4j.transformer;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import org.bytedeco.javacpp.Pointer;

/**
 * What a process may use of memory, and who says so.
 *
 * @param bytes ≥ 0
 * @param reason what sets the limit, to be named in a message
 */
public record MemoryLimit(long bytes, String reason) {

    /**
     * Resident memory of the whole process: the least of the machine's memory, or the container's, and the system property
     * {@code org.bytedeco.javacpp.maxphysicalbytes}, which otherwise follows from {@code -Xmx}.
     */
    public static MemoryLimit ofProcess() {
        return least(machine(), Pointer.maxPhysicalBytes(), "-Dorg.bytedeco.javacpp.maxphysicalbytes");
    }

    /**
     * Native memory of all tensors: the least of the machine's memory, or the container's, and the system property
     * {@code org.bytedeco.javacpp.maxbytes}, which otherwise follows from {@code -Xmx}.
     */
    public static MemoryLimit ofTensors() {
        return least(machine(), Pointer.maxBytes(), "-Dorg.bytedeco.javacpp.maxbytes");
    }

    private static MemoryLimit machine() {
        OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        return new MemoryLimit(system.getTotalMemorySize(), "the machine's memory");
    }

    /** @param configured bytes, of which 0 is no limit */
    private static MemoryLimit least(MemoryLimit machine, long configured, String reason) {
        return configured > 0 && configured < machine.bytes ? new MemoryLimit(configured, reason) : machine;
    }
}
