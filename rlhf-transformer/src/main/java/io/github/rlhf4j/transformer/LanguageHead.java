package io.github.rlhf4j.transformer;

import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.Kernels.TokenHeadGradient;
import io.github.rlhf4j.transformer.kernels.Kernels.TokenHeadOutput;
import io.github.rlhf4j.transformer.training.TokenLearner;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The token head on a model's trunk: hidden states of the scored tokens in, log-probabilities and entropies out. */
record LanguageHead(ModelCore core) {

    TokenScores forward(ScoredRows scored, double temperature, INDArray hidden, Arena arena) {
        double[] logProbs = new double[scored.count()];
        double[] entropies = new double[scored.count()];
        run(scored, temperature, hidden, new TokenHeadOutput(logProbs, entropies), null, arena);
        return new TokenScores(scored.ragged(logProbs), scored.ragged(entropies));
    }

    /**
     * Adds the gradients of the table and of the hidden states; where they are known before the forward pass, this is
     * both passes at once.
     *
     * @param dHidden {@code [M, C]}, added to
     * @return the log-probabilities
     */
    double[][] backward(
            ScoredRows scored,
            double temperature,
            INDArray hidden,
            double[] dLogProbs,
            double @Nullable [] dEntropies,
            INDArray dHidden,
            Arena arena) {
        return backward(scored, temperature, hidden, dLogProbs, dEntropies, null, dHidden, arena)
                .logProbs();
    }

    /**
     * As the other {@code backward}.
     *
     * @param zLosses what log² Z of each scored token counts in the loss; null for nothing
     */
    TokenLearner.Accumulated backward(
            ScoredRows scored,
            double temperature,
            INDArray hidden,
            double[] dLogProbs,
            double @Nullable [] dEntropies,
            double @Nullable [] zLosses,
            INDArray dHidden,
            Arena arena) {
        double[] logProbs = new double[scored.count()];
        double[] logNormalizers = new double[scored.count()];
        if (scored.count() > 0) {
            Arena.Mark mark = arena.mark();
            INDArray dScored = arena.take(scored.count(), core.config().width());
            TokenHeadGradient gradient = new TokenHeadGradient(
                    dLogProbs,
                    dEntropies,
                    zLosses,
                    dScored,
                    core.trunk().headTable().trainedGradient());
            run(scored, temperature, hidden, new TokenHeadOutput(logProbs, null, logNormalizers), gradient, arena);
            core.kernels().scatterAddRows(dScored, scored.rows(), dHidden, arena);
            arena.release(mark);
        }
        return new TokenLearner.Accumulated(scored.ragged(logProbs), scored.ragged(logNormalizers));
    }

    private void run(
            ScoredRows scored,
            double temperature,
            INDArray hidden,
            TokenHeadOutput out,
            @Nullable TokenHeadGradient gradient,
            Arena arena) {
        if (scored.count() == 0) {
            return;
        }
        Arena.Mark mark = arena.mark();
        INDArray atScored = arena.take(scored.count(), core.config().width());
        core.kernels().gatherRows(hidden, scored.rows(), atScored);
        core.kernels()
                .tokenHead(
                        atScored,
                        core.trunk().headTable().value(),
                        scored.targets(),
                        temperature,
                        out,
                        gradient,
                        arena);
        arena.release(mark);
    }
}
