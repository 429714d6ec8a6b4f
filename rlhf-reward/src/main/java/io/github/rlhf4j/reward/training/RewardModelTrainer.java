package io.github.rlhf4j.reward.training;

import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.core.training.Checkpoints;
import io.github.rlhf4j.core.training.DataDigest;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.core.training.Trainer;
import io.github.rlhf4j.core.training.TrainerState;
import io.github.rlhf4j.reward.RewardPass;
import io.github.rlhf4j.reward.TrainableRewardModel;
import io.github.rlhf4j.reward.evaluation.RewardAccuracy;
import io.github.rlhf4j.reward.math.RankingResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Learns a reward model from rankings as InstructGPT does (Ouyang et al. 2022, §3.5): each of a prompt's K responses is
 * read once, all its comparisons are one element of the batch, and the loss is the mean over prompts.
 *
 * <p>Metrics: {@code reward/loss} (nats; log 2 ≈ 0.693 is knowing nothing), {@code reward/accuracy},
 * {@code reward/margin} and {@code reward/score} of the batch before its update, {@code reward/gradient_norm},
 * {@code reward/learning_rate}; and after updates that are followed by an evaluation {@code reward/validation_loss} and
 * {@code reward/validation_accuracy}.
 */
public final class RewardModelTrainer implements Trainer {

    private static final String NAME = "reward";
    private static final String MODEL_DIRECTORY = "model";

    /** Written into checkpoints; a run resumes only with an equal one. */
    private record Setup(RewardModelConfig config, String rankingsSha256) {}

    private final TrainableRewardModel model;
    private final PreferenceDataset rankings;
    private final @Nullable PreferenceDataset validation;
    private final RewardModelConfig config;
    private final Setup setup;
    private final RankingOrder order;
    private final long totalSteps;
    private long stepsDone;

    /** A trainer without validation. */
    public RewardModelTrainer(TrainableRewardModel model, PreferenceDataset rankings, RewardModelConfig config) {
        this(model, rankings, null, config);
    }

    /**
     * A trainer, which from now on owns the model. All rankings are looked at now, so that a bad one is found before the
     * first update rather than in the third hour.
     *
     * @param rankings at least one, each with a pair that does not tie
     * @param validation rankings to evaluate on and never to train on, or null
     * @throws IllegalArgumentException when a dataset is empty, or naming the ranking that all ties or that is too long
     *     for the model
     */
    public RewardModelTrainer(
            TrainableRewardModel model,
            PreferenceDataset rankings,
            @Nullable PreferenceDataset validation,
            RewardModelConfig config) {
        RankingRules.check("training", rankings, model);
        if (validation != null) {
            RankingRules.check("validation", validation, model);
        }
        this.model = model;
        this.rankings = rankings;
        this.validation = validation;
        this.config = config;
        this.setup = new Setup(config, DataDigest.ofRankings(rankings));
        this.order = new RankingOrder(rankings.size(), config.rankingsPerBatch(), config.seed());
        this.totalSteps = config.totalSteps(rankings.size());
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
    public StepReport step() {
        if (finished()) {
            throw new IllegalStateException("the reward model's training is finished after " + totalSteps + " steps");
        }
        double learningRate = config.schedule().at(stepsDone);
        RankingBatch batch = RankingBatch.of(rankings, order.batch(stepsDone));
        double[][] scores = accumulateGradient(batch);
        RankingResult result = config.loss().evaluate(scores, batch.ranks());
        UpdateReport update = model.update(learningRate);
        stepsDone++;
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put("reward/loss", result.loss());
        metrics.put("reward/accuracy", result.accuracy());
        metrics.put("reward/margin", result.margin());
        metrics.put("reward/score", mean(scores));
        metrics.put("reward/gradient_norm", update.gradientNorm());
        metrics.put("reward/learning_rate", learningRate);
        evaluateWhenDue(metrics);
        return new StepReport(NAME, stepsDone, totalSteps, metrics);
    }

    /** Forward and backward, one micro-batch of whole rankings after another; returns all scores. */
    private double[][] accumulateGradient(RankingBatch batch) {
        double[][] scores = new double[batch.size()][];
        for (RankingBatch micro : batch.split(model, config.microBatchTokens())) {
            try (RewardPass pass = model.forward(micro.exchanges())) {
                double[][] rows = micro.byRanking(pass.scores());
                checkFinite(micro, rows);
                System.arraycopy(rows, 0, scores, micro.offset(), rows.length);
                pass.backward(gradient(micro, rows, batch.size()));
            }
        }
        return scores;
    }

    /** dLoss/dscore of the mean over the whole batch, however it is split. */
    private double[] gradient(RankingBatch micro, double[][] scores, int batchSize) {
        int[][] ranks = micro.ranks();
        double[][] rows = new double[scores.length][];
        for (int i = 0; i < scores.length; i++) {
            rows[i] = config.loss().of(scores[i], ranks[i]).scaledGradient(1.0 / batchSize);
        }
        return Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray();
    }

    private void checkFinite(RankingBatch micro, double[][] scores) {
        for (int i = 0; i < scores.length; i++) {
            if (!Arrays.stream(scores[i]).allMatch(Double::isFinite)) {
                throw new DivergenceException(
                        "step " + (stepsDone + 1) + " of the reward model's training: the scores of"
                                + " ranking " + micro.index(i) + " are " + Arrays.toString(scores[i])
                                + ". No parameter was moved by this step; go back to the last checkpoint with a lower learning"
                                + " rate (it is " + config.schedule().at(stepsDone) + ") or a lower clipping limit");
            }
        }
    }

    private void evaluateWhenDue(Map<String, Double> metrics) {
        if (validation != null && (finished() || stepsDone % config.validateEvery() == 0)) {
            RewardAccuracy accuracy = RewardAccuracy.of(model, validation, config.loss());
            metrics.put("reward/validation_loss", accuracy.loss());
            metrics.put("reward/validation_accuracy", accuracy.accuracy());
        }
    }

    private static double mean(double[][] scores) {
        return Arrays.stream(scores).flatMapToDouble(Arrays::stream).average().orElseThrow();
    }

    @Override
    public void save(Path directory) throws IOException {
        Checkpoints.write(directory, fresh -> {
            TrainerState.write(fresh, NAME, stepsDone, setup, Map.of("rankings", rankings.size()));
            model.saveState(Files.createDirectory(fresh.resolve(MODEL_DIRECTORY)));
        });
    }

    @Override
    public void restore(Path directory) throws IOException {
        Checkpoints.verify(directory);
        TrainerState state = TrainerState.read(directory).requireStage(NAME);
        if (state.integer("rankings") != rankings.size()) {
            throw new IOException("checkpoint " + directory + " was made on " + state.integer("rankings")
                    + " rankings, this run has " + rankings.size() + "; resume with the same dataset");
        }
        state.requireSameConfig(setup);
        model.restoreState(directory.resolve(MODEL_DIRECTORY));
        stepsDone = state.stepsDone();
    }

    /** Does nothing: the model stays the caller's. */
    @Override
    public void close() {}
}
