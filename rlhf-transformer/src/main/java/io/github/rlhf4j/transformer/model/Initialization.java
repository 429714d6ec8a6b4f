package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.core.random.RandomKey;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * GPT-2's initial weights (Radford et al. 2019 §2.3): matrices N(0, 0.02), those that write to the residual stream
 * scaled by 1/√(2L), gains 1, biases 0. Each parameter draws from a key of its own name.
 */
public final class Initialization {

    private static final double DEVIATION = 0.02;

    /** Numbers drawn before they are stored: a table of embeddings in double would be the largest array of the run. */
    private static final int AT_ONCE = 1 << 16;

    private Initialization() {}

    /** Sets every parameter of {@code store}. */
    public static void gpt2(ParameterStore store, TransformerConfig config, RandomKey key) {
        double residual = DEVIATION / Math.sqrt(2.0 * config.layers());
        for (Parameter parameter : store.parameters()) {
            String name = parameter.name();
            if (parameter.shape().length == 2) {
                boolean writesResidual = name.endsWith(".c_proj.weight");
                normal(parameter, writesResidual ? residual : DEVIATION, key);
            } else {
                boolean gain = name.endsWith(".weight");
                parameter.value().assign(gain ? 1 : 0);
            }
        }
    }

    /** A scalar head {@code [1, C]}: N(0, 1/√(C + 1)) (Ziegler et al. 2019). */
    public static void scalarHead(Parameter head, RandomKey key) {
        normal(head, 1 / Math.sqrt(head.length() + 1.0), key);
    }

    /** U(−bound, bound). */
    static void uniform(Parameter parameter, double bound, RandomKey key) {
        draw(parameter, random -> bound * (2 * random.nextDouble() - 1), key);
    }

    private static void normal(Parameter parameter, double deviation, RandomKey key) {
        draw(parameter, random -> deviation * random.nextGaussian(), key);
    }

    private static void draw(Parameter parameter, ToDoubleFunction<SplittableRandom> distribution, RandomKey key) {
        SplittableRandom random =
                new SplittableRandom(key.child(parameter.name()).bits());
        INDArray flat = parameter.value().reshape(parameter.length());
        for (long from = 0; from < parameter.length(); from += AT_ONCE) {
            double[] values = new double[(int) Math.min(AT_ONCE, parameter.length() - from)];
            for (int i = 0; i < values.length; i++) {
                values[i] = distribution.applyAsDouble(random);
            }
            try (INDArray drawn = Nd4j.createFromArray(values)) {
                flat.get(NDArrayIndex.interval(from, from + values.length)).assign(drawn);
            }
        }
    }
}
