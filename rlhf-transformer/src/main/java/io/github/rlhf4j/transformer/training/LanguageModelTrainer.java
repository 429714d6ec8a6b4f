package io.github.rlhf4j.transformer.training;

import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.core.training.Checkpoints;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.core.training.Trainer;
import io.github.rlhf4j.core.training.TrainerState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Maximum likelihood, one update per step: what pretraining and supervised fine-tuning share. The loss of a batch is the mean
 * of −log π over <b>all its scored tokens</b>, whatever micro-batches it is cut into; a z-loss, where one is configured, is a
 * metric of its own.
 *
 * <p>The trainer does not own the learner; closing it leaves the learner as it is.
 */
public abstract class LanguageModelTrainer implements Trainer {

    private static final String MODEL_DIRECTORY = "model";

    /**
     * A mean loss no model has that still learns, nats per token: to guess blindly among 10⁴³ tokens costs less. With
     * LayerNorm and Adam a run can lose everything and stay finite.
     */
    private static final double HOPELESS_LOSS = 100;

    /**
     * What the stages differ in.
     *
     * @param setup written into checkpoints; a run resumes only with an equal one
     * @param heldOut sequences to evaluate on, possibly none
     * @param bytesPerToken of the held-out text, or 0
     * @param zLoss what the mean of log² Z counts in the loss; 0 for nothing
     */
    record Job(
            String name,
            Record setup,
            long totalSteps,
            LearningRateSchedule schedule,
            int microBatchTokens,
            int evaluateEvery,
            List<ScoredSequence> heldOut,
            double bytesPerToken,
            double zLoss,
            long seed) {}

    private final TokenLearner learner;
    private final Job job;
    private final RandomKey dropoutKey;
    private long stepsDone;
    private double lastLoss = Double.NaN;

    LanguageModelTrainer(TokenLearner learner, Job job) {
        this.learner = learner;
        this.job = job;
        this.dropoutKey = RandomKey.of(job.seed()).child("dropout");
    }

    /** The batch of a step (0 for the first): a function of configuration, data and step alone; at least one sequence. */
    abstract List<ScoredSequence> batch(long step);

    @Override
    public final String name() {
        return job.name();
    }

    @Override
    public final long stepsDone() {
        return stepsDone;
    }

    @Override
    public final long totalSteps() {
        return job.totalSteps();
    }

    @Override
    public final StepReport step() {
        requireUnfinished();
        List<ScoredSequence> batch = batch(stepsDone);
        long tokens = batch.stream().mapToLong(ScoredSequence::scoredCount).sum();
        Losses losses = accumulate(batch, tokens);
        double loss = losses.crossEntropy();
        double rate = job.schedule().at(stepsDone);
        UpdateReport update = update(rate);
        lastLoss = loss;
        stepsDone++;
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put(name() + "/loss", loss);
        metrics.put(name() + "/learning_rate", rate);
        metrics.put(name() + "/gradient_norm", update.gradientNorm());
        metrics.put(name() + "/tokens", (double) tokens);
        if (job.zLoss() > 0) {
            metrics.put(name() + "/z_loss", losses.zLoss());
        }
        if (evaluationIsDue()) {
            evaluate().ifPresent(evaluation -> put(metrics, evaluation));
        }
        return new StepReport(name(), stepsDone, totalSteps(), metrics);
    }

    /**
     * Means over a batch's tokens.
     *
     * @param crossEntropy −log π, nats
     * @param zLoss coefficient·log² Z; 0 without one
     */
    private record Losses(double crossEntropy, double zLoss) {}

    /** Adds the gradient of the batch's mean losses. A batch that fails adds nothing. */
    private Losses accumulate(List<ScoredSequence> batch, long tokens) {
        try {
            Losses losses = addGradients(batch, tokens);
            requireHope(losses.crossEntropy());
            return losses;
        } catch (RuntimeException | Error e) {
            learner.discard();
            throw e;
        }
    }

    private Losses addGradients(List<ScoredSequence> batch, long tokens) {
        double sum = 0;
        double squares = 0;
        int firstOfPart = 0;
        for (SequenceBatch part : new SequenceBatch(batch).split(job.microBatchTokens())) {
            List<RandomKey> dropout = dropoutKeys(firstOfPart, part.size());
            double[][] weights = equalWeights(part, 1.0 / tokens);
            if (job.zLoss() == 0) {
                sum -= total(learner.accumulate(part, weights, dropout));
            } else {
                TokenLearner.Accumulated seen = learner.accumulate(part, weights, job.zLoss(), dropout);
                sum -= total(seen.logProbs());
                squares += totalSquares(seen.logNormalizers());
            }
            firstOfPart += part.size();
        }
        return new Losses(sum / tokens, job.zLoss() * squares / tokens);
    }

    /** Keyed by step and place in the batch, whatever part of it the sequence comes in. */
    private List<RandomKey> dropoutKeys(int from, int count) {
        RandomKey key = dropoutKey.child(stepsDone);
        return IntStream.range(from, from + count).mapToObj(key::child).toList();
    }

    private static double[][] equalWeights(SequenceBatch batch, double weight) {
        double[][] weights = new double[batch.size()][];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = new double[batch.sequences().get(i).scoredCount()];
            Arrays.fill(weights[i], weight);
        }
        return weights;
    }

    private static double total(double[][] rows) {
        double sum = 0;
        for (double[] row : rows) {
            for (double value : row) {
                sum += value;
            }
        }
        return sum;
    }

    private static double totalSquares(double[][] rows) {
        return Arrays.stream(rows)
                .flatMapToDouble(Arrays::stream)
                .map(x -> x * x)
                .sum();
    }

    private UpdateReport update(double rate) {
        try {
            return learner.update(rate);
        } catch (DivergenceException e) {
            throw new DivergenceException(name() + " step " + (stepsDone + 1) + ": " + e.getMessage());
        }
    }

    private void requireUnfinished() {
        if (finished()) {
            throw new IllegalStateException(
                    name() + " has done all its " + totalSteps() + " steps; configure more steps to go on");
        }
    }

    private void requireHope(double loss) {
        if (!(loss <= HOPELESS_LOSS)) {
            String before = Double.isNaN(lastLoss)
                    ? "it is the first"
                    : "the loss before was " + lastLoss + ", of step " + stepsDone;
            throw new DivergenceException(
                    name() + " diverged: the loss of step " + (stepsDone + 1) + " is " + loss + " ("
                            + before
                            + "). Nothing was updated. Resume from an earlier checkpoint with a lower learning rate or a"
                            + " longer warm-up; when it is so from the first step, look at the data and the initial weights");
        }
    }

    private boolean evaluationIsDue() {
        return job.evaluateEvery() > 0 && (stepsDone % job.evaluateEvery() == 0 || finished());
    }

    /** Evaluates on the held-out data, without dropout; empty when there is none. */
    public final Optional<Evaluation> evaluate() {
        if (job.heldOut().isEmpty()) {
            return Optional.empty();
        }
        double sum = 0;
        for (SequenceBatch part : new SequenceBatch(job.heldOut()).split(job.microBatchTokens())) {
            sum -= total(learner.score(part).logProbs());
        }
        long tokens =
                job.heldOut().stream().mapToLong(ScoredSequence::scoredCount).sum();
        return Optional.of(new Evaluation(sum / tokens, tokens, job.bytesPerToken()));
    }

    private void put(Map<String, Double> metrics, Evaluation evaluation) {
        metrics.put(name() + "/validation_loss", evaluation.loss());
        metrics.put(name() + "/validation_perplexity", evaluation.perplexity());
        evaluation.bitsPerByte().ifPresent(bits -> metrics.put(name() + "/validation_bits_per_byte", bits));
    }

    @Override
    public final void save(Path directory) throws IOException {
        Checkpoints.write(directory, fresh -> {
            TrainerState.write(fresh, name(), stepsDone, job.setup(), Map.of("lastLoss", lastLoss));
            Path model = Files.createDirectory(fresh.resolve(MODEL_DIRECTORY));
            learner.saveState(model);
        });
    }

    @Override
    public final void restore(Path directory) throws IOException {
        Checkpoints.verify(directory);
        TrainerState state = TrainerState.read(directory).requireStage(name()).requireSameConfig(job.setup());
        double savedLoss = state.number("lastLoss");
        learner.restoreState(directory.resolve(MODEL_DIRECTORY));
        stepsDone = state.stepsDone();
        lastLoss = savedLoss;
    }

    @Override
    public void close() {}
}
