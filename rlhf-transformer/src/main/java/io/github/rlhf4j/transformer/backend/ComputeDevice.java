package io.github.rlhf4j.transformer.backend;

/**
 * What computes, after it was loaded and verified.
 *
 * @param backend CPU or CUDA, never AUTO
 * @param backendClass the ND4J backend class that initialised
 * @param name of the device, for people: {@code "CPU linux-x86_64, OPENBLAS"} or the GPU's model
 * @param threads of ND4J's operations on the host, ≥ 1
 * @param memoryBytes that tensors may take: the JVM's limit outside the heap on a CPU, the device's memory on a GPU; 0
 *     when unknown or without limit
 */
public record ComputeDevice(ComputeBackend backend, String backendClass, String name, int threads, long memoryBytes) {

    @Override
    public String toString() {
        return "%s (%s, %d threads, %s)".formatted(backend, name, threads, memory());
    }

    private String memory() {
        return memoryBytes <= 0 ? "memory unlimited" : "%.1f GiB".formatted(memoryBytes / 0x1p30);
    }
}
