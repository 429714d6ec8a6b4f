package io.github.rlhf4j.transformer;

import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.Kernels.TokenHeadGradient;
import io.github.rlhf4j.transformer.kernels.Kernels.TokenHeadKl;
import io.github.rlhf4j.transformer.kernels.Kernels.TokenHeadOutput;
import io.github.rlhf4j.transformer.training.TokenLearner;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The token head on a model's trunk: hidden states of the scored tokens in, log-probabilities and entropies out. */
record LanguageHead(ModelCore core) {

    /**
     * The gradient of a loss with respect to what the head gives, one number for each scored token; null for zeros.
     *
     * @param zLosses what log² Z counts in the loss
     */
    record Upstream(
            double[] dLogProbs, double @Nullable [] dEntropies, double @Nullable [] zLosses, double @Nullable [] dKls) {

        /**
         * Of a pass with or without a reference.
         *
         * @throws IllegalArgumentException when shapes are not the batch's, or there is a gradient of a KL that the pass has not
         */
        static Upstream of(TokenGradients gradients, ScoredRows scored, KlReference.@Nullable Rows reference) {
            if (gradients.dKls() != null && reference == null) {
                throw new IllegalArgumentException(
                        "this pass has no KL to a reference, so there is none to take dKls; forward(batch, reference) gives a"
                                + " pass that has");
            }
            return new Upstream(
                    scored.flat(gradients.dLogProbs(), "dLogProbs"),
                    gradients.dEntropies() == null ? null : scored.flat(gradients.dEntropies(), "dEntropies"),
                    null,
                    gradients.dKls() == null ? null : scored.flat(gradients.dKls(), "dKls"));
        }
    }

    /** With the KL to {@code reference} where there is one. */
    TokenScores forward(
            ScoredRows scored, double temperature, INDArray hidden, KlReference.@Nullable Rows reference, Arena arena) {
        double[] logProbs = new double[scored.count()];
        double[] entropies = new double[scored.count()];
        TokenHeadKl kl = kl(scored, reference);
        run(scored, temperature, hidden, new TokenHeadOutput(logProbs, entropies, null, kl), null, arena);
        return new TokenScores(
                scored.ragged(logProbs), scored.ragged(entropies), kl == null ? null : scored.ragged(kl.values()));
    }

    /**
     * Adds the gradients of the table and of the hidden states; where they are known before the forward pass, this is
     * both passes at once.
     *
     * @param reference the pass's; null where {@code upstream} has no dKls
     * @param dHidden {@code [M, C]}, added to
     */
    TokenLearner.Accumulated backward(
            ScoredRows scored,
            double temperature,
            INDArray hidden,
            KlReference.@Nullable Rows reference,
            Upstream upstream,
            INDArray dHidden,
            Arena arena) {
        double[] logProbs = new double[scored.count()];
        double[] logNormalizers = new double[scored.count()];
        if (scored.count() > 0) {
            Arena.Mark mark = arena.mark();
            INDArray dScored = arena.take(scored.count(), core.config().width());
            TokenHeadKl kl = upstream.dKls() == null ? null : kl(scored, reference);
            TokenHeadGradient gradient = new TokenHeadGradient(
                    upstream.dLogProbs(),
                    upstream.dEntropies(),
                    upstream.zLosses(),
                    upstream.dKls(),
                    dScored,
                    core.trunk().headTable().trainedGradient());
            run(scored, temperature, hidden, new TokenHeadOutput(logProbs, null, logNormalizers, kl), gradient, arena);
            core.kernels().scatterAddRows(dScored, scored.rows(), dHidden, arena);
            arena.release(mark);
        }
        return new TokenLearner.Accumulated(scored.ragged(logProbs), scored.ragged(logNormalizers));
    }

    private static @Nullable TokenHeadKl kl(ScoredRows scored, KlReference.@Nullable Rows reference) {
        return reference == null
                ? null
                : new TokenHeadKl(reference.hidden(), reference.table(), new double[scored.count()]);
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
