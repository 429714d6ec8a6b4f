package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Checkpointable;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.files.DurableFiles;
import io.github.rlhf4j.ppo.math.KlEstimator;
import io.github.rlhf4j.ppo.math.KlUnit;
import io.github.rlhf4j.ppo.math.ReweightedKl;
import io.github.rlhf4j.ppo.math.UpperBound;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.function.DoubleFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A limit on how far a policy may go from its reference, kept by undoing updates: a line search as in TRPO (Schulman et al.
 * 2015, appendix C). The updates on a rollout are one step. When the policy may be past the budget after it, parameters and
 * optimiser go back to the bits they had before, and all updates are done again at half the policy's learning rate, a value
 * function's staying as it is; after {@value #MOST} halvings the step is left out. {@link KlBudget} stops the run instead.
 *
 * <p>A step is kept when both hold, in nats per sequence, measured on responses drawn just before it:
 *
 * <ul>
 *   <li>the upper confidence bound ({@link UpperBound}) of KL(π‖π_ref), estimated by {@link ReweightedKl}, is within the budget;
 *   <li>KL(π_old‖π), the mean of log π_old − log π, is within the budget as well: after a step as large as that, the rollout
 *       no longer says where the policy is.
 * </ul>
 *
 * Where the bound was past the budget before any update, there is nothing to search for, as steps that shrink to none leave it
 * there: the updates are done once, and kept when the bound of what they <em>add</em> to the KL is below 0, so that a penalty can
 * bring a policy back that is past its budget.
 *
 * <p><b>What is guaranteed.</b> That KL(π‖π_ref), over prompts and all responses, stays within the budget for the whole run
 * with a probability of about {@value #CONFIDENCE}, not that it always does: each step is allowed to be wrong with 1 −
 * {@value #CONFIDENCE} divided by the number of steps, for a run asks as often as it has steps, and a policy at its limit gains from
 * each answer that is too low. "About", because the bound takes the mean over sequences for normal, and the estimate is made
 * on the responses that were learned from, with their prefixes as often as the policy drew them before the step. The price
 * is that a part of the budget is left: the standard error is about √(2·KL/n) for n responses, of which a bound takes 3 to 4.
 *
 * <p>The search is along what the optimiser would do, which knows nothing of the budget: a policy at its limit mostly stays where it
 * is. A KL penalty in the reward ({@link RewardSettings#kl()}) is what spends the budget well; this only keeps it.
 *
 * <p>Costs, only when there is a budget: the state of what learns is written to a directory below {@code java.io.tmpdir} before
 * each step and deleted after it, as a checkpoint's is and as large (no memory is taken); a pass of the policy over the rollout
 * without a gradient; the updates again for each time they are undone. Nothing outlives a step, so checkpoints do not know of
 * it. A virtual machine that is told to end within a step deletes the directory; one that is killed with no warning
 * (SIGKILL, loss of power) leaves it, named {@code rlhf4j-kl-budget…}.
 */
public final class KlBacktracking {

    /** What the learning rate is multiplied by each time updates are undone. */
    static final double FACTOR = 0.5;

    /** How often updates are undone before the step is left out. */
    static final int MOST = 10;

    /** Probability that no step of a run ends past the budget. */
    static final double CONFIDENCE = 0.95;

    private static final Logger LOG = LoggerFactory.getLogger(KlBacktracking.class);

    private final double budget;
    private final double level;
    private final Policy policy;
    private final Checkpointable learner;
    private final int microBatchTokens;

    /**
     * Of the run of a policy.
     *
     * @param budget nats per sequence; 0 is none
     * @param steps of the run, ≥ 1
     * @param learner all that updates move, the policy among it
     * @param microBatchTokens most tokens of a pass, ≥ 1
     */
    public KlBacktracking(double budget, long steps, Policy policy, Checkpointable learner, int microBatchTokens) {
        this.budget = budget;
        this.level = (1 - CONFIDENCE) / steps;
        this.policy = policy;
        this.learner = learner;
        this.microBatchTokens = microBatchTokens;
    }

    /**
     * What became of a step.
     *
     * @param tally of the updates that were done last, whether kept or undone
     * @param rateFactor what the policy's learning rate was multiplied by; 0 where the step was left out
     * @param undone how often the updates were undone
     * @param kl KL(π‖π_ref) after the step as {@link ReweightedKl} estimates it, nats per sequence; NaN without a budget
     * @param bound upper confidence bound of that
     */
    public record Outcome<T>(T tally, double rateFactor, int undone, double kl, double bound) {

        /** By path; nothing where there is no budget. */
        public void report(Map<String, Double> metrics) {
            if (!Double.isNaN(kl)) {
                metrics.put("budget/kl", kl);
                metrics.put("budget/kl_bound", bound);
                metrics.put("budget/undone", (double) undone);
                metrics.put("budget/rate_factor", rateFactor);
            }
        }
    }

    /**
     * Does the updates on a rollout, as often as it takes.
     *
     * @param batch responses drawn before the updates, none of them left out for what it scored
     * @param drawn log-probs that they were drawn with, nats
     * @param old log π_old, the policy's own before the updates; the same where it is the policy that drew them
     * @param reference log π_ref of its tokens, nats
     * @param updates does all updates on the rollout with the policy's learning rate multiplied by its argument, in (0, 1];
     *     the same each time for the same parameters
     */
    public <T> Outcome<T> update(
            SequenceBatch batch, double[][] drawn, double[][] old, double[][] reference, DoubleFunction<T> updates) {
        if (budget == 0) {
            return new Outcome<>(updates.apply(1), 1, 0, Double.NaN, Double.NaN);
        }
        double[] before = ReweightedKl.perSequence(old, drawn, reference);
        int most = UpperBound.ofMean(before, level) <= budget ? MOST : 0;
        try (Snapshot snapshot = Snapshot.of(learner)) {
            double factor = 1;
            for (int undone = 0; ; undone++) {
                T tally = updates.apply(factor);
                double[][] moved = score(batch);
                double[] after = ReweightedKl.perSequence(moved, drawn, reference);
                if (isWithinBudget(old, moved, before, after)) {
                    return outcome(tally, factor, undone, after);
                }
                snapshot.restore();
                LOG.debug("updates at {} of the learning rate may leave the policy past the KL budget: undone", factor);
                if (undone == most) {
                    return outcome(tally, 0, undone + 1, before);
                }
                factor *= FACTOR;
            }
        }
    }

    /** Neither too far from where it was, nor possibly past the budget, unless it has come nearer. */
    private boolean isWithinBudget(double[][] old, double[][] moved, double[] before, double[] after) {
        double step = KlUnit.PER_SEQUENCE.of(KlEstimator.K1.values(old, moved));
        if (!(step <= budget)) {
            return false;
        }
        double[] added = new double[after.length];
        Arrays.setAll(added, i -> after[i] - before[i]);
        return UpperBound.ofMean(after, level) <= budget || UpperBound.ofMean(added, level) < 0;
    }

    private <T> Outcome<T> outcome(T tally, double factor, int undone, double[] kl) {
        double mean = Arrays.stream(kl).sum() / kl.length;
        return new Outcome<>(tally, factor, undone, mean, UpperBound.ofMean(kl, level));
    }

    private double[][] score(SequenceBatch batch) {
        return MicroBatches.logProbs("the log-probs of the trained policy", policy, batch, microBatchTokens);
    }

    /** The state of what learns, on the disk; deleted when the virtual machine ends before this is closed. */
    private static final class Snapshot implements AutoCloseable {

        private final Checkpointable learner;
        private final Path directory;
        private final Thread atExit = new Thread(this::delete, "rlhf4j-kl-budget");

        private Snapshot(Checkpointable learner, Path directory) {
            this.learner = learner;
            this.directory = directory;
        }

        static Snapshot of(Checkpointable learner) {
            try {
                Snapshot snapshot = new Snapshot(learner, Files.createTempDirectory("rlhf4j-kl-budget"));
                try {
                    Runtime.getRuntime().addShutdownHook(snapshot.atExit);
                    snapshot.save();
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

        /** Not while it is deleted, or files would be left that are written after their directory was listed. */
        private synchronized void save() throws IOException {
            learner.saveState(directory);
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
            delete();
            try {
                Runtime.getRuntime().removeShutdownHook(atExit);
            } catch (IllegalStateException e) {
                LOG.debug("the virtual machine is ending, and deletes {} itself", directory, e);
            }
        }

        private synchronized void delete() {
            try {
                DurableFiles.deleteTree(directory);
            } catch (IOException e) {
                LOG.warn("{} could not be deleted; delete it", directory, e);
            }
        }
    }
}
