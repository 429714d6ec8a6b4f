package io.github.rlhf4j.transformer.kernels;

import io.github.rlhf4j.transformer.backend.ComputeBackend;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which implementation of {@link Kernels} runs; see {@link Kernels#select}. */
final class KernelChoice {

    /** System property that names the kernels: fused or nd4j. */
    static final String PROPERTY = "rlhf4j.kernels";

    private static final Logger LOG = LoggerFactory.getLogger(KernelChoice.class);
    private static final AtomicBoolean LOGGED = new AtomicBoolean();

    private KernelChoice() {}

    static Kernels select(DataType dataType) {
        ComputeBackend backend = ComputeBackend.ensureSelected().backend();
        Kernels kernels = select(System.getProperty(PROPERTY), backend, dataType);
        if (kernels instanceof FusedKernels) {
            oneThreadPerProduct();
        }
        if (dataType == DataType.FLOAT && LOGGED.compareAndSet(false, true)) {
            LOG.info("kernels: {} ({})", describe(kernels), backend);
        }
        return kernels;
    }

    private static String describe(Kernels kernels) {
        String name = kernels.getClass().getSimpleName();
        return kernels instanceof FusedKernels
                ? name + ", " + VectorLoops.ACTIVE.description() + ", products by " + PanelProduct.description()
                : name;
    }

    /** The fused kernels bring threads of their own; those of OpenMP would spin on the same cores. */
    private static void oneThreadPerProduct() {
        Nd4j.getEnvironment().setMaxMasterThreads(1);
        Nd4j.factory().blas().setMaxThreads(1);
    }

    /** Types other than FLOAT, which serve gradient checks, are always ND4J's. */
    static Kernels select(@Nullable String property, ComputeBackend backend, DataType dataType) {
        boolean possible = backend == ComputeBackend.CPU && dataType == DataType.FLOAT;
        String name = property == null ? "" : property.strip().toLowerCase(Locale.ROOT);
        return switch (name) {
            case "" -> possible ? new FusedKernels() : new Nd4jKernels();
            case "nd4j" -> new Nd4jKernels();
            case "fused" -> {
                if (backend != ComputeBackend.CPU) {
                    throw new IllegalArgumentException("the system property " + PROPERTY
                            + " asks for fused kernels, which work on the CPU; the backend is " + backend
                            + ". Leave the property out, or select the CPU backend.");
                }
                yield possible ? new FusedKernels() : new Nd4jKernels();
            }
            default ->
                throw new IllegalArgumentException(
                        "the system property " + PROPERTY + " must be fused or nd4j, got \"" + property + "\"");
        };
    }
}
