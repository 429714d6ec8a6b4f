package io.github.rlhf4j.transformer.optimizer;

import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.transformer.model.Parameter;
import io.github.rlhf4j.transformer.model.ParameterStore;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.transforms.floating.Sqrt;
import org.nd4j.linalg.factory.Nd4j;

/**
 * AdamW (Loshchilov and Hutter 2019, algorithm 2) over the flat buffers, bias-corrected, ε outside the root, as PyTorch
 * computes it. ND4J's own Adam operation is TensorFlow's and moves weights at learning rate 0.
 */
public final class AdamW implements AutoCloseable {

    private final AdamWConfig config;
    private final ParameterStore store;
    private final INDArray firstMoment;
    private final INDArray secondMoment;
    private final INDArray scratch;
    private final INDArray root;
    private long steps;

    /** An optimiser at step 0 for all parameters of {@code store}. */
    public AdamW(AdamWConfig config, ParameterStore store) {
        this.config = config;
        this.store = store;
        this.firstMoment = Nd4j.zeros(store.dataType(), store.count());
        this.secondMoment = Nd4j.zeros(store.dataType(), store.count());
        this.scratch = Nd4j.zeros(store.dataType(), store.count());
        this.root = Nd4j.zeros(store.dataType(), store.count());
    }

    /**
     * Clips the gradients to the global norm, moves the parameters, and clears the gradients.
     *
     * @throws DivergenceException when the norm is not finite; nothing has then been changed but the gradients, which are
     *     cleared
     */
    public UpdateReport update(double learningRate) {
        if (!(learningRate >= 0) || Double.isInfinite(learningRate)) {
            throw new IllegalArgumentException("learning rate must be ≥ 0 and finite, got " + learningRate);
        }
        INDArray g = store.gradients();
        double norm = g.norm2Number().doubleValue();
        if (!Double.isFinite(norm)) {
            g.assign(0);
            throw new DivergenceException("the gradient norm is " + norm + " at optimiser step " + (steps + 1)
                    + ": the loss diverged. Lower the learning rate, warm up longer, or look at the last batch;"
                    + " parameters are as they were before this step.");
        }
        boolean clipped = norm > config.maxGradientNorm();
        if (clipped) {
            g.muli(config.maxGradientNorm() / norm);
        }
        steps++;
        moments(g);
        decay(learningRate);
        step(learningRate);
        g.assign(0);
        return new UpdateReport(norm, clipped);
    }

    /** {@code m = β₁m + (1 − β₁)g; v = β₂v + (1 − β₂)g²}. */
    private void moments(INDArray g) {
        g.muli(1 - config.beta1(), scratch);
        firstMoment.muli(config.beta1()).addi(scratch);
        g.muli(g, scratch);
        scratch.muli(1 - config.beta2());
        secondMoment.muli(config.beta2()).addi(scratch);
    }

    /** {@code w = w·(1 − learningRate·weightDecay)} for matrices. */
    private void decay(double learningRate) {
        if (config.weightDecay() == 0 || learningRate == 0) {
            return;
        }
        for (Parameter parameter : store.parameters()) {
            if (parameter.decayed()) {
                parameter.value().muli(1 - learningRate * config.weightDecay());
            }
        }
    }

    /** {@code w = w − learningRate·m̂/(√v̂ + ε)} with {@code m̂ = m/(1 − β₁ᵗ)}, {@code v̂ = v/(1 − β₂ᵗ)}. */
    private void step(double learningRate) {
        double correction1 = 1 - Math.pow(config.beta1(), steps);
        double correction2 = 1 - Math.pow(config.beta2(), steps);
        Nd4j.exec(new Sqrt(secondMoment, root));
        root.muli(1 / Math.sqrt(correction2)).addi(config.epsilon());
        firstMoment.divi(root, scratch);
        store.values().subi(scratch.muli(learningRate / correction1));
    }

    public AdamWConfig config() {
        return config;
    }

    /** Updates done. */
    public long steps() {
        return steps;
    }

    /** m, {@code [P]}; for checkpoints. */
    public INDArray firstMoment() {
        return firstMoment;
    }

    /** v, {@code [P]}; for checkpoints. */
    public INDArray secondMoment() {
        return secondMoment;
    }

    /** Continues from a checkpoint whose moments have been copied in. */
    public void restoreSteps(long stepsDone) {
        steps = stepsDone;
    }

    @Override
    public void close() {
        firstMoment.close();
        secondMoment.close();
        scratch.close();
        root.close();
    }
}
