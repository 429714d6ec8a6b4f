package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Checkpointable;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.files.DurableFiles;
import io.github.rlhf4j.ppo.math.KlEstimator;
import io.github.rlhf4j.ppo.math.KlUnit;
import io.github.rlhf4j.ppo.math.ReweightedKl;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.DoubleFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A hard limit on how far a policy may go from its reference, kept by undoing updates: a line search as in TRPO (Schulman et
 * al. 2015, appendix C). The updates on a rollout are one step. When the policy is past the budget after it, parameters and
 * optimiser go back to the bits they had before, and all updates are done again at half the learning rate; after {@value
 * #MOST} halvings the step is left out. {@link KlBudget} stops the run instead.
 *
 * <p>A step is kept when both hold, in nats per sequence, measured on the rollout that it learned from:
 *
 * <ul>
 *   <li>KL(π‖π_ref) by {@link ReweightedKl} is within the budget, or below what it was before the step, so that a policy that
 *       is past the budget may come back;
 *   <li>KL(π_old‖π), the mean of log π_old − log π, is within the budget as well: after a step as large as that, the rollout
 *       no longer says where the policy is.
 * </ul>
 *
 * The search is along what the optimiser would do, which knows nothing of the budget: a policy at its limit mostly stays where it
 * is. A KL penalty in the reward ({@link RewardSettings#kl()}) is what spends the budget well; this only keeps it.
 *
 * <p>A rollout is a sample: the next one, drawn afresh, reports as {@code objective/kl} what the budget allowed but for the noise
 * of both.
 *
 * <p>Costs, only when there is a budget: the state of what learns is written to a directory below {@code java.io.tmpdir} before
 * each step and deleted after it, as a checkpoint's is and as large (no memory is taken); a pass of the policy over the rollout
 * without a gradient; the updates again for each time they are undone. Nothing outlives a step, so checkpoints do not know of
 * it.
 */
public final class KlBacktracking {

    /** What the learning rate is multiplied by each time updates are undone. */
    static final double FACTOR = 0.5;

    /** How often updates are undone before the step is left out. */
    static final int MOST = 10;

    private static final Logger LOG = LoggerFactory.getLogger(KlBacktracking.class);

    private final double budget;
    private final Policy policy;
    private final Checkpointable learner;
    private final int microBatchTokens;

    /**
     * Of the run of a policy.
     *
     * @param budget nats per sequence; 0 is none
     * @param learner all that updates move, the policy among it
     * @param microBatchTokens most tokens of a pass, ≥ 1
     */
    public KlBacktracking(double budget, Policy policy, Checkpointable learner, int microBatchTokens) {
        this.budget = budget;
        this.policy = policy;
        this.learner = learner;
        this.microBatchTokens = microBatchTokens;
    }

    /**
     * What became of a step.
     *
     * @param tally of the updates that were done last, whether kept or undone
     * @param rateFactor what the learning rate was multiplied by; 0 where the step was left out
     * @param undone how often the updates were undone
     * @param kl KL(π‖π_ref) after the step, nats per sequence, as the budget measures it; NaN without a budget
     */
    public record Outcome<T>(T tally, double rateFactor, int undone, double kl) {

        /** By path; nothing where there is no budget. */
        public void report(Map<String, Double> metrics) {
            if (!Double.isNaN(kl)) {
                metrics.put("budget/kl", kl);
                metrics.put("budget/undone", (double) undone);
                metrics.put("budget/rate_factor", rateFactor);
            }
        }
    }

    /**
     * Does the updates on a rollout, as often as it takes.
     *
     * @param batch the rollout
     * @param sampled log π_old of its tokens, before the updates, nats
     * @param reference log π_ref of its tokens, nats
     * @param updates does all updates on the rollout with the learning rate multiplied by its argument, in (0, 1]; the same
     *     each time for the same parameters
     */
    public <T> Outcome<T> update(
            SequenceBatch batch, double[][] sampled, double[][] reference, DoubleFunction<T> updates) {
        if (budget == 0) {
            return new Outcome<>(updates.apply(1), 1, 0, Double.NaN);
        }
        double before = ReweightedKl.of(sampled, sampled, reference);
        try (Snapshot snapshot = Snapshot.of(learner)) {
            double factor = 1;
            for (int undone = 0; ; undone++) {
                T tally = updates.apply(factor);
                double[][] moved = score(batch);
                double kl = ReweightedKl.of(moved, sampled, reference);
                double step = KlUnit.PER_SEQUENCE.of(KlEstimator.K1.values(sampled, moved));
                if (step <= budget && (kl <= budget || kl < before)) {
                    return new Outcome<>(tally, factor, undone, kl);
                }
                snapshot.restore();
                LOG.debug(
                        "updates at {} of the learning rate would leave KL(π‖π_ref) at {} and KL(π_old‖π) at {} nats per"
                                + " sequence, past the budget of {}: undone",
                        factor,
                        kl,
                        step,
                        budget);
                if (undone == MOST) {
                    return new Outcome<>(tally, 0, undone + 1, before);
                }
                factor *= FACTOR;
            }
        }
    }

    private double[][] score(SequenceBatch batch) {
        return MicroBatches.score(
                "the log-probs of the trained policy", batch, microBatchTokens, pass -> policy.score(pass)
                        .logProbs());
    }

    /** The state of what learns, on the disk. */
    private record Snapshot(Checkpointable learner, Path directory) implements AutoCloseable {

        static Snapshot of(Checkpointable learner) {
            try {
                Snapshot snapshot = new Snapshot(learner, Files.createTempDirectory("rlhf4j-kl-budget"));
                try {
                    learner.saveState(snapshot.directory);
                } catch (IOException | RuntimeException e) {
                    snapshot.close();
                    throw e;
                }
                return snapshot;
            } catch (IOException e) {
                throw new UncheckedIOException(
                        "a KL budget keeps the state of the models in a directory below "
                                + System.getProperty("java.io.tmpdir")
                                + " while they are updated, which failed; make room there, or set java.io.tmpdir",
                        e);
            }
        }

        void restore() {
            try {
                learner.restoreState(directory);
            } catch (IOException e) {
                throw new UncheckedIOException(
                        "the state of the models before their updates cannot be read back from " + directory, e);
            }
        }

        @Override
        public void close() {
            try {
                DurableFiles.deleteTree(directory);
            } catch (IOException e) {
                LOG.warn("{} could not be deleted; delete it", directory, e);
            }
        }
    }
}
