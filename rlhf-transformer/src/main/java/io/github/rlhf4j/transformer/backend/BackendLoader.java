package io.github.rlhf4j.transformer.backend;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Properties;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;
import org.nd4j.common.config.ND4JClassLoading;
import org.nd4j.context.Nd4jContext;
import org.nd4j.linalg.api.environment.Nd4jEnvironment;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.factory.Nd4jBackend;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads one ND4J backend.
 *
 * <p>ND4J asks its class loader for all backends and takes the available one of the highest priority. While it
 * initialises it is given a class loader that shows it only the backend we chose ({@link OneBackendClassLoader}), so that
 * both jars may lie on the classpath. Whether ND4J has initialised already is read off its context's properties, which a
 * backend fills when it is loaded; asking {@link Nd4j} itself would initialise it.
 */
final class BackendLoader {

    static final String CPU_CLASS = "org.nd4j.linalg.cpu.nativecpu.CpuBackend";
    static final String CUDA_CLASS = "org.nd4j.linalg.jcublas.JCublasBackend";

    private static final Logger LOG = LoggerFactory.getLogger(ComputeBackend.class);

    /** Set by every backend's own properties file. */
    private static final String LOADED_MARK = "ndarrayfactory.class";

    ComputeDevice load(ComputeBackend choice) {
        if (Nd4jContext.getInstance().getConf().containsKey(LOADED_MARK)) {
            return adopt(choice);
        }
        List<Nd4jBackend> candidates = candidates();
        Nd4jBackend chosen =
                switch (choice) {
                    case CPU -> require(candidates, CPU_CLASS, choice);
                    case CUDA -> requireDevice(require(candidates, CUDA_CLASS, choice));
                    case AUTO -> best(candidates);
                };
        initialize(chosen.getClass().getName());
        setThreads();
        ComputeDevice device = describe();
        LOG.info("computing on {}", device);
        return device;
    }

    private static ComputeDevice adopt(ComputeBackend choice) {
        ComputeDevice device = describe();
        if (choice != ComputeBackend.AUTO && choice != device.backend()) {
            throw ComputeBackend.tooLate(choice, device.backendClass());
        }
        setThreads();
        return describe();
    }

    private static List<Nd4jBackend> candidates() {
        List<Nd4jBackend> candidates = new ArrayList<>();
        Iterator<Nd4jBackend> found = ServiceLoader.load(Nd4jBackend.class, ND4JClassLoading.getNd4jClassloader())
                .iterator();
        while (true) {
            try {
                if (!found.hasNext()) {
                    return candidates;
                }
                candidates.add(found.next());
            } catch (ServiceConfigurationError | LinkageError e) {
                LOG.warn("an ND4J backend on the classpath cannot be loaded: {}", e.toString());
            }
        }
    }

    private static @Nullable Nd4jBackend find(List<Nd4jBackend> candidates, String className) {
        return candidates.stream()
                .filter(candidate -> candidate.getClass().getName().equals(className))
                .findFirst()
                .orElse(null);
    }

    private static Nd4jBackend require(List<Nd4jBackend> candidates, String className, ComputeBackend choice) {
        Nd4jBackend backend = find(candidates, className);
        if (backend == null) {
            throw new IllegalStateException(
                    "cannot select " + choice + ": its ND4J backend is not on the classpath. Add " + dependency(choice)
                            + " (rlhf-bom manages the version).");
        }
        return backend;
    }

    private static String dependency(ComputeBackend choice) {
        String artifact = choice == ComputeBackend.CUDA ? "nd4j-cuda-11.6" : "nd4j-native";
        return "the Maven dependency org.nd4j:" + artifact + " and the same with <classifier>" + Loader.getPlatform()
                + "</classifier>";
    }

    private static Nd4jBackend requireDevice(Nd4jBackend cuda) {
        String problem = problemOf(cuda);
        if (problem != null) {
            throw new IllegalStateException("cannot select CUDA: " + problem
                    + ". It needs an NVIDIA device with a driver" + " for CUDA 11.6 and "
                    + dependency(ComputeBackend.CUDA) + "; without them select CPU or AUTO.");
        }
        return cuda;
    }

    private static Nd4jBackend best(List<Nd4jBackend> candidates) {
        Nd4jBackend cuda = find(candidates, CUDA_CLASS);
        Nd4jBackend cpu = find(candidates, CPU_CLASS);
        String problem = cuda == null ? null : problemOf(cuda);
        if (cuda != null && problem == null) {
            return cuda;
        }
        if (cpu == null) {
            String why =
                    problem == null ? "there is no ND4J backend on the classpath" : "CUDA does not work: " + problem;
            throw new IllegalStateException(why + ". Add " + dependency(ComputeBackend.CPU)
                    + ", or for a GPU org.nd4j:nd4j-cuda-11.6 (rlhf-bom manages the versions).");
        }
        if (problem != null) {
            LOG.info("the CUDA backend is on the classpath but does not work ({}); taking the CPU", problem);
        }
        return cpu;
    }

    /** Why a backend cannot run on this machine; null when it can. A missing driver shows as an Error, not as false. */
    private static @Nullable String problemOf(Nd4jBackend backend) {
        try {
            return backend.canRun() ? null : "it reports that it cannot run here";
        } catch (Exception | LinkageError e) {
            return rootOf(e);
        }
    }

    private static String rootOf(Throwable e) {
        Throwable root = e;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root.getMessage() == null ? root.toString() : root.getMessage();
    }

    private static void initialize(String className) {
        String filter = System.getProperty("backends");
        if (filter != null && !filter.contains(className)) {
            throw new IllegalStateException("the system property backends=" + filter + " keeps ND4J from loading "
                    + className + " and would leave nothing initialised; remove it, and use -D"
                    + ComputeBackend.PROPERTY
                    + " instead.");
        }
        ClassLoader original = ND4JClassLoading.getNd4jClassloader();
        ND4JClassLoading.setNd4jClassloader(new OneBackendClassLoader(original, className));
        try {
            Nd4jBackend loaded = Nd4j.getBackend();
            if (loaded == null || !loaded.getClass().getName().equals(className)) {
                throw new IllegalStateException("ND4J was told to load " + className + " and loaded " + loaded);
            }
        } catch (LinkageError e) {
            throw new IllegalStateException(
                    "ND4J cannot initialise " + className + ": " + rootOf(e)
                            + ". Its native library is probably missing: add " + dependency(kindOf(className)) + ".",
                    e);
        } finally {
            ND4JClassLoading.setNd4jClassloader(original);
        }
    }

    private static ComputeBackend kindOf(String className) {
        return className.equals(CUDA_CLASS) ? ComputeBackend.CUDA : ComputeBackend.CPU;
    }

    private static void setThreads() {
        OptionalInt asked = ComputeThreads.asked();
        if (asked.isPresent()) {
            int threads = asked.getAsInt();
            // "Master" threads are those that share one operation; the pool's own size is fixed when ND4J starts.
            Nd4j.getEnvironment()
                    .setMaxMasterThreads(Math.min(threads, Nd4j.getEnvironment().maxThreads()));
            Nd4j.factory().blas().setMaxThreads(threads);
        }
    }

    private static ComputeDevice describe() {
        String className = Nd4j.getBackend().getClass().getName();
        ComputeBackend kind = kindOf(className);
        int threads =
                ComputeThreads.asked().orElse(Math.max(1, Nd4j.getEnvironment().maxMasterThreads()));
        if (kind == ComputeBackend.CUDA) {
            Map<?, ?> gpu = firstGpu(Nd4j.getExecutioner().getEnvironmentInformation());
            Object name = gpu.get(Nd4jEnvironment.CUDA_DEVICE_NAME_KEY);
            Object memory = gpu.get(Nd4jEnvironment.CUDA_TOTAL_MEMORY_KEY);
            long bytes = memory instanceof Number number ? number.longValue() : 0;
            return new ComputeDevice(kind, className, name == null ? "CUDA device" : name.toString(), threads, bytes);
        }
        String name =
                "CPU " + Loader.getPlatform() + ", " + Nd4j.factory().blas().getBlasVendor();
        return new ComputeDevice(kind, className, name, threads, Pointer.maxBytes());
    }

    private static Map<?, ?> firstGpu(Properties environment) {
        Object devices = environment.get(Nd4jEnvironment.CUDA_DEVICE_INFORMATION_KEY);
        return devices instanceof List<?> list && !list.isEmpty() && list.get(0) instanceof Map<?, ?> gpu
                ? gpu
                : Map.of();
    }
}
