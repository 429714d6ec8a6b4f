package io.github.rlhf4j.transformer.kernels;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes the loops on the Vector API where its module is present, as Lucene does. */
final class VectorLoopsChoice {

    static final String MODULE = "jdk.incubator.vector";
    private static final Logger LOG = LoggerFactory.getLogger(VectorLoopsChoice.class);

    private VectorLoopsChoice() {}

    static VectorLoops choose() {
        if (ModuleLayer.boot().findModule(MODULE).isEmpty()) {
            LOG.info(
                    "kernels run without the Vector API, at about half the speed; start Java with --add-modules {} to"
                            + " switch it on",
                    MODULE);
            return new ScalarLoops();
        }
        try {
            return simd();
        } catch (ReflectiveOperationException | LinkageError e) {
            LOG.warn(
                    "kernels run without the Vector API, because its loops do not load on Java {}: {}",
                    Runtime.version().feature(),
                    e.toString());
            return new ScalarLoops();
        }
    }

    /** By name: the class is compiled apart, as the compiler takes incubating modules only outside {@code --release}. */
    static VectorLoops simd() throws ReflectiveOperationException {
        return (VectorLoops) instance("SimdLoops");
    }

    /** Loops over panels, or null where the Vector API is not used. */
    static @Nullable PanelLoops panelLoops() {
        if (VectorLoops.ACTIVE instanceof ScalarLoops) {
            return null;
        }
        try {
            return (PanelLoops) instance("SimdPanelLoops");
        } catch (ReflectiveOperationException | LinkageError e) {
            LOG.warn("decoding runs without packed weights: {}", e.toString());
            return null;
        }
    }

    private static Object instance(String simpleName) throws ReflectiveOperationException {
        return Class.forName(VectorLoops.class.getPackageName() + "." + simpleName)
                .getDeclaredConstructor()
                .newInstance();
    }
}
