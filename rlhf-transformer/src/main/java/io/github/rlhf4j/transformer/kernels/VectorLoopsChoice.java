package io.github.rlhf4j.transformer.kernels;

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
        return (VectorLoops) Class.forName(VectorLoops.class.getPackageName() + ".SimdLoops")
                .getDeclaredConstructor()
                .newInstance();
    }
}
