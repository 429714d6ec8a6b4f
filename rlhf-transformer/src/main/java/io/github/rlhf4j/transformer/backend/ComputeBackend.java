package io.github.rlhf4j.transformer.backend;

import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The hardware to compute on. ND4J takes one backend per JVM, at the first touch of a tensor, and by priorities from
 * environment variables; {@link #select} makes that an explicit choice, verified after loading.
 *
 * <p>The choice is, in this order: the argument of {@code select}; the system property {@value #PROPERTY}; the environment
 * variable {@value #VARIABLE}; {@link #AUTO}. How many threads compute is said by {@link ComputeThreads}.
 *
 * <pre>{@code
 * ComputeDevice device = ComputeBackend.select(ComputeBackend.CPU);   // before the first tensor
 * }</pre>
 */
public enum ComputeBackend {
    /** CUDA if its jar is there and a device works, otherwise CPU; says so in one log line. */
    AUTO,
    /** The processor: {@code org.nd4j:nd4j-native}. */
    CPU,
    /** An NVIDIA GPU: {@code org.nd4j:nd4j-cuda-11.6}. */
    CUDA;

    /** System property that names the backend: auto, cpu or cuda. */
    public static final String PROPERTY = "rlhf4j.backend";

    /** Environment variable that names the backend when the property does not. */
    public static final String VARIABLE = "RLHF4J_BACKEND";

    /** System property with the number of threads; see {@link ComputeThreads}. */
    public static final String THREADS_PROPERTY = "rlhf4j.threads";

    private static @Nullable ComputeDevice selected;

    /**
     * Loads a backend, or confirms that it is the one already loaded. Calling it again with the same choice, or with AUTO,
     * returns the same device.
     *
     * @throws IllegalStateException with the remedy: when another backend was loaded before (too late), when the backend's
     *     jar or native library is missing, when CUDA has no working device
     */
    public static synchronized ComputeDevice select(ComputeBackend choice) {
        if (selected == null) {
            selected = new BackendLoader().load(choice);
        } else if (choice != AUTO && choice != selected.backend()) {
            throw tooLate(choice, selected.backendClass());
        }
        return selected;
    }

    /**
     * Selects by property, environment or AUTO unless a selection was made. Whatever creates a tensor calls this first.
     *
     * @throws IllegalStateException as {@link #select}
     * @throws IllegalArgumentException when the property or the variable names no backend
     */
    public static synchronized ComputeDevice ensureSelected() {
        return selected != null ? selected : select(configured(System.getProperty(PROPERTY), System.getenv(VARIABLE)));
    }

    /** The choice that property and variable make together; either may be absent. */
    static ComputeBackend configured(@Nullable String property, @Nullable String variable) {
        if (property != null && !property.isBlank()) {
            return named(property, "the system property " + PROPERTY);
        }
        return variable != null && !variable.isBlank() ? named(variable, "the environment variable " + VARIABLE) : AUTO;
    }

    private static ComputeBackend named(String name, String where) {
        return Arrays.stream(values())
                .filter(backend -> backend.name().equals(name.strip().toUpperCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() ->
                        new IllegalArgumentException(where + " must be one of auto, cpu, cuda, got \"" + name + "\""));
    }

    static IllegalStateException tooLate(ComputeBackend choice, String loaded) {
        return new IllegalStateException("cannot select " + choice + ": ND4J has already loaded " + loaded
                + ", and a JVM takes one backend only. Call ComputeBackend.select(" + choice
                + ") before the first tensor, or start Java with -D" + PROPERTY + "="
                + choice.name().toLowerCase(Locale.ROOT) + ".");
    }
}
