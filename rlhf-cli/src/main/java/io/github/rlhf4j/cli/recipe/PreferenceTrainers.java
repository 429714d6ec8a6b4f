package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.data.PreferenceFiles;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.core.training.Trainer;
import io.github.rlhf4j.ppo.preference.DpoConfig;
import io.github.rlhf4j.ppo.preference.DpoTrainer;
import io.github.rlhf4j.ppo.preference.DpoTrainerBuilder;
import io.github.rlhf4j.ppo.preference.JudgedExchange;
import io.github.rlhf4j.ppo.preference.math.ApoDownLoss;
import io.github.rlhf4j.ppo.preference.math.ApoZeroLoss;
import io.github.rlhf4j.ppo.preference.math.BcoLoss;
import io.github.rlhf4j.ppo.preference.math.ConservativeDpoLoss;
import io.github.rlhf4j.ppo.preference.math.CpoLoss;
import io.github.rlhf4j.ppo.preference.math.DpoLoss;
import io.github.rlhf4j.ppo.preference.math.HingeLoss;
import io.github.rlhf4j.ppo.preference.math.IpoLoss;
import io.github.rlhf4j.ppo.preference.math.KtoLoss;
import io.github.rlhf4j.ppo.preference.math.NcaLoss;
import io.github.rlhf4j.ppo.preference.math.OrpoLoss;
import io.github.rlhf4j.ppo.preference.math.PreferenceLoss;
import io.github.rlhf4j.ppo.preference.math.RobustDpoLoss;
import io.github.rlhf4j.ppo.preference.math.SimpoLoss;
import io.github.rlhf4j.ppo.preference.math.SlicLoss;
import io.github.rlhf4j.ppo.preference.math.SppoLoss;
import io.github.rlhf4j.transformer.TransformerPolicy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The trainer of each algorithm that learns from the comparisons that were made before. */
final class PreferenceTrainers {

    private static final double FINAL_RATE = 0.1;

    /** Share of comparisons that are the wrong way round, where nobody knows. */
    private static final double UNKNOWN_NOISE = 0.05;

    private PreferenceTrainers() {}

    /**
     * The trainer of an algorithm, which asks no reward model. What it trains is the policy at {@code ppo.temperature}: as it is
     * sampled when it is measured and asked.
     */
    static Trainer of(Recipe run, Algorithm algorithm, TransformerPolicy policy, TransformerPolicy reference)
            throws IOException {
        RecipeConfig.Dpo stage = run.config().dpo();
        PreferenceDataset comparisons = PreferenceFiles.read(run.directory().comparisons());
        DpoConfig defaults = DpoConfig.defaults(stage.epochs(), LanguageStages.seed(run.config(), algorithm));
        DpoConfig sized = defaults.withBatchSize(stage.batch())
                .withMicroBatchTokens(run.config().memory().tokensOr(defaults.microBatchTokens()))
                .withTooLong(DpoConfig.TooLong.TRUNCATE_END)
                .withTemperature(run.config().ppo().temperature())
                .withLoss(loss(run, algorithm));
        long steps = sized.totalSteps(algorithm == Algorithm.KTO ? 2 * comparisons.size() : comparisons.size());
        double rate = stage.learningRate();
        DpoTrainerBuilder builder = DpoTrainer.builder()
                .config(sized.withEvaluateEvery((int) Math.max(1, steps / 5))
                        .withSchedule(new LearningRateSchedule.WarmupCosine(
                                rate, rate * FINAL_RATE, steps / 20, Math.max(1, steps))))
                .policy(policy)
                .reference(reference)
                .format(run.models().format());
        return algorithm == Algorithm.KTO
                ? builder.judgements(judged(comparisons)).build()
                : builder.preferences(comparisons)
                        .heldOut(PreferenceFiles.read(run.directory().unseenComparisons()))
                        .build();
    }

    /** The best of each ranking as desirable, the worst as not. */
    private static List<JudgedExchange> judged(PreferenceDataset comparisons) {
        List<JudgedExchange> judged = new ArrayList<>();
        for (int i = 0; i < comparisons.size(); i++) {
            Ranking ranking = comparisons.get(i);
            int best = ranking.ranks().indexOf(Collections.min(ranking.ranks()));
            int worst = ranking.ranks().indexOf(Collections.max(ranking.ranks()));
            for (int j : new int[] {best, worst}) {
                Exchange exchange =
                        new Exchange(ranking.conversation(), ranking.responses().get(j));
                judged.add(new JudgedExchange(exchange, j == best));
            }
        }
        return judged;
    }

    /**
     * With the papers' own numbers beside β. Of the labeler's mistakes half turn a comparison round, which is what the losses
     * that allow for noise are told.
     */
    private static PreferenceLoss loss(Recipe run, Algorithm algorithm) {
        double beta = run.config().dpo().beta();
        double noise = run.config().data().preferences() == null
                ? run.config().comparisons().mistakes() / 2
                : UNKNOWN_NOISE;
        return switch (algorithm) {
            case DPO -> new DpoLoss(beta);
            case IPO -> new IpoLoss(beta);
            case HINGE -> new HingeLoss(beta);
            case CONSERVATIVE_DPO -> new ConservativeDpoLoss(beta, noise);
            case ROBUST_DPO -> new RobustDpoLoss(beta, noise);
            case SLIC -> new SlicLoss(1, 1);
            case APO_ZERO -> new ApoZeroLoss(beta);
            case APO_DOWN -> new ApoDownLoss(beta);
            case NCA -> new NcaLoss(beta);
            case SPPO -> new SppoLoss(beta);
            case BCO -> new BcoLoss(beta);
            case ORPO -> new OrpoLoss(0.1);
            case SIMPO -> new SimpoLoss(2, 1);
            case CPO -> new CpoLoss(beta, 1);
            case KTO -> new KtoLoss(beta);
            default -> throw new IllegalArgumentException(algorithm + " is not on comparisons");
        };
    }
}
