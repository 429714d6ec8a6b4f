package io.github.rlhf4j.ppo.preference;

import io.github.rlhf4j.core.TrainablePolicy;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.core.random.EpochOrder;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.core.training.Checkpoints;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.core.training.Trainer;
import io.github.rlhf4j.core.training.TrainerState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Learns from preferences directly: direct preference optimisation (Rafailov et al. 2023) and its relatives, which are
 * choices of {@link DpoConfig#loss()}. No reward model and no samples; chosen and rejected response of a pair go through the
 * policy together, and a reference policy is only scored with.
 *
 * <p>Metrics of the batch before its update: {@code dpo/loss} (log 2 ≈ 0.693 at first), {@code dpo/reward_chosen},
 * {@code dpo/reward_rejected} (implicit rewards), {@code dpo/margin}, {@code dpo/accuracy} (pairs whose chosen response has
 * the larger reward), {@code dpo/log_prob_chosen}, {@code dpo/log_prob_rejected} (nats per response: when both fall, see {@link
 * io.github.rlhf4j.ppo.preference.math.RpoLoss}), {@code dpo/tokens}; {@code dpo/gradient_norm}, {@code dpo/learning_rate};
 * for KTO {@code dpo/kl} in place of the accuracy; when evaluated {@code dpo/validation_loss}, {@code /validation_margin} and
 * {@code /validation_accuracy}.
 */
public final class DpoTrainer implements Trainer {

    private static final Logger LOG = LoggerFactory.getLogger(DpoTrainer.class);
    private static final String NAME = "dpo";
    private static final String POLICY_DIRECTORY = "policy";
    private static final String REFERENCE_FILE = "reference.bin";
    private static final String HELD_OUT_REFERENCE_FILE = "held-out-reference.bin";

    /** Written into checkpoints; a run resumes only with an equal one. */
    private record Setup(DpoConfig config, String dataSha256, String undesirableSha256, String heldOutSha256) {

        static Setup of(DpoConfig config, Examples training, Examples heldOut) {
            return new Setup(config, training.digest(true), training.digest(false), heldOut.digest(true));
        }
    }

    /**
     * What became of the training data.
     *
     * @param used examples (pairs, or judged responses) that are trained on
     * @param truncated those among them of which a response was cut
     * @param dropped those that were left out because they are too long
     */
    public record Intake(int used, int truncated, int dropped) {}

    private final DpoConfig config;
    private final TrainablePolicy policy;
    private final PreferencePasses passes;
    private final Examples training;
    private final Examples heldOut;
    private final ReferenceLogProbs reference;
    private final ReferenceLogProbs heldOutReference;
    private final Setup setup;
    private final EpochOrder order;
    private final long totalSteps;
    private long stepsDone;

    DpoTrainer(DpoParts parts) {
        this.config = parts.config();
        this.policy = parts.policy();
        this.passes = new PreferencePasses(policy, config.loss(), config.microBatchTokens(), config.temperature());
        this.training = parts.training();
        this.heldOut = parts.heldOut();
        this.reference = parts.referenceOf(training);
        this.heldOutReference = parts.referenceOf(heldOut);
        this.setup = Setup.of(config, training, heldOut);
        this.order = new EpochOrder(RandomKey.of(config.seed()).child(NAME).child("order"), training.size());
        this.totalSteps = config.totalSteps(training.size());
        warnOfLosses();
    }

    private void warnOfLosses() {
        Intake intake = training.intake();
        if (intake.truncated() + intake.dropped() > 0) {
            LOG.warn(
                    "of the preferences, {} have a response longer than the context of {} tokens and were cut, {} were left"
                            + " out; {} are trained on",
                    intake.truncated(),
                    policy.contextLength(),
                    intake.dropped(),
                    intake.used());
        }
    }

    /** One update. */
    @Override
    public StepReport step() {
        requireUnfinished();
        scoreWithReferenceInAdvance();
        int[] drawn = nextExamples();
        double rate = config.schedule().at(stepsDone);
        Map<String, Double> metrics = new LinkedHashMap<>();
        DpoTally tally = new DpoTally();
        passes.accumulate(stepsDone + 1, training.select(drawn), reference.of(drawn), (from, logProbs) -> {}, tally);
        tally.report(metrics);
        UpdateReport update = policy.update(rate);
        stepsDone++;
        metrics.put("dpo/gradient_norm", update.gradientNorm());
        metrics.put("dpo/learning_rate", rate);
        evaluateWhenDue(metrics);
        return new StepReport(NAME, stepsDone, totalSteps, metrics);
    }

    private void scoreWithReferenceInAdvance() {
        reference.prepare();
        heldOutReference.prepare();
    }

    private int[] nextExamples() {
        long from = stepsDone * config.batchSize();
        long left = (long) config.epochs() * training.size() - from;
        return order.take(from, (int) Math.min(config.batchSize(), left));
    }

    private void evaluateWhenDue(Map<String, Double> metrics) {
        int every = config.evaluateEvery();
        if (heldOut.size() > 0 && every > 0 && (finished() || stepsDone % every == 0)) {
            DpoTally tally = evaluate();
            metrics.put("dpo/validation_loss", tally.loss());
            metrics.put("dpo/validation_margin", tally.statistics().margin());
            if (tally.statistics().pairs() > 0) {
                metrics.put("dpo/validation_accuracy", tally.statistics().accuracy());
            }
        }
    }

    private DpoTally evaluate() {
        double[][] references =
                heldOutReference.of(IntStream.range(0, heldOut.size()).toArray());
        DpoTally tally = new DpoTally();
        passes.evaluate(heldOut.list(), references, tally);
        return tally;
    }

    private void requireUnfinished() {
        if (finished()) {
            throw new IllegalStateException("training on preferences is finished after " + totalSteps
                    + " steps; configure more epochs to go on");
        }
    }

    /** How many examples are used, cut and left out. */
    public Intake intake() {
        return training.intake();
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public long stepsDone() {
        return stepsDone;
    }

    @Override
    public long totalSteps() {
        return totalSteps;
    }

    @Override
    public void save(Path directory) throws IOException {
        Checkpoints.write(directory, fresh -> {
            TrainerState.write(
                    fresh, NAME, stepsDone, setup, passes.rewardMean().numbers());
            policy.saveState(Files.createDirectory(fresh.resolve(POLICY_DIRECTORY)));
            reference.save(fresh.resolve(REFERENCE_FILE));
            heldOutReference.save(fresh.resolve(HELD_OUT_REFERENCE_FILE));
        });
    }

    @Override
    public void restore(Path directory) throws IOException {
        Checkpoints.verify(directory);
        TrainerState state = TrainerState.read(directory).requireStage(NAME).requireSameConfig(setup);
        RewardMean savedMean = RewardMean.of(state);
        double[][] savedReference = reference.read(directory.resolve(REFERENCE_FILE));
        double[][] savedHeldOut = heldOutReference.read(directory.resolve(HELD_OUT_REFERENCE_FILE));
        policy.restoreState(directory.resolve(POLICY_DIRECTORY));
        passes.restore(savedMean);
        reference.restore(savedReference);
        heldOutReference.restore(savedHeldOut);
        stepsDone = state.stepsDone();
    }

    /** Closes nothing: the models are the caller's. */
    @Override
    public void close() {}

    /** Begins a trainer: its parts are named one by one. */
    public static DpoTrainerBuilder builder() {
        return new DpoTrainerBuilder();
    }
}
