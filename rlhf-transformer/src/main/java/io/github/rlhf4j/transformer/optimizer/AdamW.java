package io.github.rlhf4j.transformer.optimizer;

import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.kernels.Kernels.AdamWStep;
import io.github.rlhf4j.transformer.kernels.Kernels.DecayedRange;
import io.github.rlhf4j.transformer.model.Parameter;
import io.github.rlhf4j.transformer.model.ParameterStore;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * AdamW (Loshchilov and Hutter 2019, algorithm 2) over the flat buffers, bias-corrected, ε outside the root, as PyTorch
 * computes it. ND4J's own Adam operation is TensorFlow's and moves weights at learning rate 0.
 */
public final class AdamW implements AutoCloseable {

    private final AdamWConfig config;
    private final ParameterStore store;
    private final Kernels kernels;
    private final INDArray firstMoment;
    private final INDArray secondMoment;
    private final Arena arena;
    private final List<DecayedRange> decayed = new ArrayList<>();
    private long steps;

    /** An optimiser at step 0 for all parameters of {@code store}. */
    public AdamW(AdamWConfig config, ParameterStore store, Kernels kernels) {
        this.config = config;
        this.store = store;
        this.kernels = kernels;
        this.firstMoment = Nd4j.zeros(store.dataType(), store.count());
        this.secondMoment = Nd4j.zeros(store.dataType(), store.count());
        this.arena = new Arena(store.dataType());
        for (Parameter parameter : store.parameters()) {
            if (parameter.decayed()) {
                decayed.add(new DecayedRange(parameter.offset(), parameter.offset() + parameter.length()));
            }
        }
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
        double norm = kernels.norm(g);
        if (!Double.isFinite(norm)) {
            g.assign(0);
            throw new DivergenceException("the gradient norm is " + norm + " at optimiser step " + (steps + 1)
                    + ": the loss diverged. Lower the learning rate, warm up longer, or look at the last batch;"
                    + " parameters are as they were before this step.");
        }
        boolean clipped = norm > config.maxGradientNorm();
        steps++;
        kernels.adamW(
                step(clipped ? config.maxGradientNorm() / norm : 1, learningRate),
                store.values(),
                g,
                firstMoment,
                secondMoment,
                decayed,
                arena);
        store.changed();
        return new UpdateReport(norm, clipped);
    }

    /** {@code m̂ = m/(1 − β₁ᵗ)} and {@code v̂ = v/(1 − β₂ᵗ)} as factors of the step and of the root. */
    private AdamWStep step(double gradientScale, double learningRate) {
        double correction1 = 1 - Math.pow(config.beta1(), steps);
        double correction2 = 1 - Math.pow(config.beta2(), steps);
        return new AdamWStep(
                gradientScale,
                config.beta1(),
                config.beta2(),
                config.epsilon(),
                learningRate / correction1,
                1 / Math.sqrt(correction2),
                1 - learningRate * config.weightDecay());
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
        arena.close();
    }
}
