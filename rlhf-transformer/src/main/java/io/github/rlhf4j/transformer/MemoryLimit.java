package io.github.rlhf4j.transformer;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import org.bytedeco.javacpp.Pointer;

/**
 * What a process may use of memory, and who says so.
 *
 * @param bytes resident memory of the whole process, ≥ 0
 * @param reason what sets the limit, to be named in a message
 */
public record MemoryLimit(long bytes, String reason) {

    /**
     * The least of the machine's memory, or the container's, and what ND4J's native library may use: the system property
     * {@code org.bytedeco.javacpp.maxphysicalbytes}, which otherwise follows from {@code -Xmx}.
     */
    public static MemoryLimit ofProcess() {
        OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        MemoryLimit machine = new MemoryLimit(system.getTotalMemorySize(), "the machine's memory");
        long configured = Pointer.maxPhysicalBytes();
        return configured > 0 && configured < machine.bytes
                ? new MemoryLimit(configured, "-Dorg.bytedeco.javacpp.maxphysicalbytes")
                : machine;
    }
}
