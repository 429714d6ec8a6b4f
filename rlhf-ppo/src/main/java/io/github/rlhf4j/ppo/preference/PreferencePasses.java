package io.github.rlhf4j.ppo.preference;

import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenBudget;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TrainablePolicy;
import io.github.rlhf4j.ppo.preference.math.PreferenceLoss;
import io.github.rlhf4j.ppo.preference.math.PreferenceStatistics;
import java.util.Arrays;
import java.util.List;

/** Batches of examples on their way through a policy, wherever they come from. */
final class PreferencePasses {

    private final TrainablePolicy policy;
    private final Objective objective;
    private final int microBatchTokens;
    private final double temperature;
    private RewardMean rewardMean = RewardMean.NONE;

    /**
     * Of one run.
     *
     * @param microBatchTokens most tokens of a pass, ≥ 1; the sequences of an example stay together
     * @param temperature that log-probs are under
     */
    PreferencePasses(TrainablePolicy policy, PreferenceLoss loss, int microBatchTokens, double temperature) {
        this.policy = policy;
        this.objective = Objective.of(loss);
        this.microBatchTokens = microBatchTokens;
        this.temperature = temperature;
    }

    /** Looks at what a pass scored, before it goes backward. */
    @FunctionalInterface
    interface ScoreCheck {

        /**
         * A part of the batch was scored.
         *
         * @param from number of its first example in the batch
         * @param logProbs of the learned sequences, in order
         */
        void check(int from, double[][] logProbs);
    }

    /**
     * Adds the gradient of the batch's mean loss to the policy, and what it was to the tally, one micro-batch of whole examples
     * after another.
     *
     * @param step number of the trainer's step, from 1, which errors name
     * @param references log π_ref, one row per example, learned sequences first, nats
     * @throws DivergenceException when the loss is not finite; the policy has not moved
     */
    void accumulate(long step, List<Example> batch, double[][] references, ScoreCheck check, DpoTally tally) {
        double anchor = objective.anchor(policy, batch, references, temperature, microBatchTokens, rewardMean.value());
        PreferenceStatistics statistics = PreferenceStatistics.NONE;
        for (TokenBudget.Range range : parts(batch)) {
            List<Example> part = batch.subList(range.from(), range.to());
            try (ForwardPass pass = policy.forward(learned(part))) {
                double[][] logProbs = pass.scores().logProbs();
                check.check(range.from(), logProbs);
                Objective.Outcome outcome = objective.evaluate(
                        part,
                        logProbs,
                        Arrays.copyOfRange(references, range.from(), range.to()),
                        anchor,
                        1.0 / batch.size());
                requireFinite(step, outcome.loss());
                pass.backward(new TokenGradients(outcome.gradient()));
                tally.add(part, outcome);
                statistics = statistics.plus(outcome.statistics());
            }
        }
        tally.endBatch(anchor);
        rewardMean = rewardMean.plus(statistics);
    }

    /** As {@link #accumulate}, without a gradient; nothing is remembered. */
    void evaluate(List<Example> examples, double[][] references, DpoTally tally) {
        double anchor =
                objective.anchor(policy, examples, references, temperature, microBatchTokens, rewardMean.value());
        for (TokenBudget.Range range : parts(examples)) {
            List<Example> part = examples.subList(range.from(), range.to());
            tally.add(
                    part,
                    objective.evaluate(
                            part,
                            policy.score(learned(part)).logProbs(),
                            Arrays.copyOfRange(references, range.from(), range.to()),
                            anchor,
                            1.0 / examples.size()));
        }
        tally.endBatch(anchor);
    }

    private List<TokenBudget.Range> parts(List<Example> batch) {
        return TokenBudget.ranges(batch.size(), i -> batch.get(i).tokens(), microBatchTokens);
    }

    private SequenceBatch learned(List<Example> examples) {
        List<ScoredSequence> sequences =
                examples.stream().flatMap(example -> example.learned().stream()).toList();
        return new SequenceBatch(sequences, temperature);
    }

    private static void requireFinite(long step, double loss) {
        if (!Double.isFinite(loss)) {
            throw new DivergenceException("step " + step + " of training on preferences: the loss of a batch is " + loss
                    + ". No parameter was moved by it; go back to the last checkpoint with a lower learning rate or a larger"
                    + " beta; dpo/gradient_norm of the steps before shows where it began");
        }
    }

    /** The mean implicit reward of the batches so far. */
    RewardMean rewardMean() {
        return rewardMean;
    }

    /** Goes on from a mean that {@link #rewardMean} gave. */
    void restore(RewardMean mean) {
        rewardMean = mean;
    }
}
