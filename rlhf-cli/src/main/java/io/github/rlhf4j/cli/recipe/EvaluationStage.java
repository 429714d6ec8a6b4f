package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.cli.report.RunRecords;
import io.github.rlhf4j.cli.report.RunResults;
import io.github.rlhf4j.cli.report.RunResults.CalibrationBin;
import io.github.rlhf4j.cli.report.RunResults.Measurement;
import io.github.rlhf4j.cli.report.RunResults.SelectionPoint;
import io.github.rlhf4j.cli.report.Sample;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.data.PreferenceFiles;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.ppo.math.BestOfNKl;
import io.github.rlhf4j.reward.RewardModels;
import io.github.rlhf4j.reward.TransformerRewardModel;
import io.github.rlhf4j.reward.evaluation.BestOfNCurve;
import io.github.rlhf4j.reward.evaluation.RewardAccuracy;
import io.github.rlhf4j.reward.evaluation.RewardCalibration;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Measures on held-out prompts what the recipe came to: results, samples, report. */
final class EvaluationStage {

    private static final int ANSWERS_AFTER = 4;
    private static final int BINS = 10;

    /** What the issue of this recipe asks a full run for. */
    private static final double ACCURACY_TARGET = 0.8;

    private static final double GOLD_TARGET = 0.6;
    private static final double GAIN_TARGET = 2;

    /** With fewer prompts or comparisons than these the numbers say next to nothing. */
    private static final int FEW = 20;

    private final Recipe run;
    private final RecipeConfig config;
    private final boolean hasGold;
    private final List<Measurement> measurements = new ArrayList<>();

    EvaluationStage(Recipe run) {
        this.run = run;
        this.config = run.config();
        this.hasGold = run.data().taste() != null;
    }

    void evaluate() throws IOException {
        RunDirectory directory = run.directory();
        try (TransformerPolicy before = ModelFiles.policy(run.models().of(Stage.SFT));
                TransformerPolicy pretrained = ModelFiles.policy(run.models().of(Stage.PRETRAINING));
                TransformerRewardModel reward = ModelFiles.reward(run.models().of(Stage.REWARD), AdamWConfig.gpt3())) {
            PreferenceDataset unseen = PreferenceFiles.read(directory.unseenComparisons());
            RewardAccuracy accuracy = RewardAccuracy.of(reward, unseen);
            RewardCalibration calibration = RewardCalibration.of(reward, unseen, BINS);

            List<Conversation> prompts = LanguageStages.few(
                    run.data().prompts().heldOut(), config.evaluation().prompts());
            int all = (1 + config.algorithms().size()) * prompts.size();
            Judged sft = judge(before, reward, prompts, config.evaluation().bestOf(), "before", 0, all);
            List<Optimised> optimised = new ArrayList<>();
            for (Algorithm algorithm : config.algorithms()) {
                int done = (1 + optimised.size()) * prompts.size();
                optimised.add(optimised(algorithm, before, reward, prompts, done, all));
            }
            Optimised main = optimised.get(0);
            Judged after = main.judged();
            String title = main.algorithm().title();
            String label = main.algorithm().label();

            add(
                    "reward/accuracy",
                    accuracyLabel(run.data().preferences() != null, accuracy.comparisons()),
                    accuracy.accuracy(),
                    run.isMainJob() ? ACCURACY_TARGET : null);
            add(
                    "reward/calibration_error",
                    "reward model: expected calibration error",
                    calibration.expectedCalibrationError(),
                    null);
            gold(sft, main);
            add("reward/score_sft", "learned reward, SFT", mean(sft.learned()), null);
            add("reward/score_" + label, "learned reward, " + title, mean(after.learned()), null);
            add("objective/kl", "KL from SFT to " + title + ", nats per sequence", main.kl(), null);
            List<SelectionPoint> points = points(sft, optimised);
            outputs("sft", "SFT", sft.answers(), pretrained);
            outputs(label, title, after.answers(), pretrained);
            optimised.stream().skip(1).forEach(this::compared);

            RunRecords.writeSamples(directory.root(), samples(sft, after));
            List<String> warnings = warnings(prompts.size(), accuracy.comparisons());
            warnings.forEach(warning -> run.monitor().onNote("warning: " + warning));
            RunRecords.writeResults(
                    directory.root(), new RunResults(measurements, bins(calibration), points, warnings));
        }
    }

    static String accuracyLabel(boolean own, int comparisons) {
        return "reward model: accuracy on "
                + (own ? "held-out preferences" : "unseen comparisons without mistakes")
                + ", n = " + comparisons;
    }

    /** One, where fewer than {@link #FEW} of anything were measured. */
    static List<String> warnings(int prompts, int comparisons) {
        if (Math.min(prompts, comparisons) >= FEW) {
            return List.of();
        }
        return List.of("measured on " + prompts + " held-out prompts and " + comparisons
                + " comparisons; with fewer than " + FEW
                + " the results say next to nothing. Give more data, or hold out a larger share (heldOutShare)");
    }

    /**
     * Answers and what is thought of them.
     *
     * @param learned scores of the reward model
     * @param gold scores of the hidden taste, NaN without one
     * @param met 1 where the hidden taste is met, 0 where not, NaN without one
     */
    private record Judged(Answers answers, double[] learned, double[] gold, double[] met) {}

    /** What an algorithm has made of the supervised policy, and how far it went, nats per sequence. */
    private record Optimised(Algorithm algorithm, Judged judged, double kl) {}

    private Optimised optimised(
            Algorithm algorithm,
            TransformerPolicy before,
            TransformerRewardModel reward,
            List<Conversation> prompts,
            int done,
            int all) {
        try (TransformerPolicy policy = ModelFiles.policy(run.directory().model(algorithm))) {
            String name = algorithm == Algorithm.PPO ? "after" : "after " + algorithm.label();
            Judged judged = judge(policy, reward, prompts, ANSWERS_AFTER, name, done, all);
            double kl = OutputStatistics.klPerSequence(
                    policy, before, judged.answers().completions(), config.ppo().temperature());
            return new Optimised(algorithm, judged, kl);
        }
    }

    /** The main numbers of one more algorithm. */
    private void compared(Optimised one) {
        String title = one.algorithm().title();
        String label = one.algorithm().label();
        if (hasGold) {
            add(
                    "gold/share_" + label,
                    "share of answers that meet the hidden taste, " + title,
                    mean(one.judged().met()),
                    null);
        }
        add(
                "reward/score_" + label,
                "learned reward, " + title,
                mean(one.judged().learned()),
                null);
        add("objective/kl_" + label, "KL from SFT to " + title + ", nats per sequence", one.kl(), null);
    }

    private Judged judge(
            TransformerPolicy policy,
            TransformerRewardModel reward,
            List<Conversation> prompts,
            int perPrompt,
            String name,
            int doneBefore,
            int all) {
        Sampling sampling = Sampling.exact(
                config.ppo().maxNewTokens(),
                config.ppo().temperature(),
                run.models().format().stopTokens());
        RandomKey key =
                RandomKey.of(config.seed()).child(Stage.EVALUATION.label()).child(name);
        Answers answers = Answers.sample(policy, run.models().readable(), prompts, perPrompt, sampling, key, done -> {
            run.runner().checkStop(Stage.EVALUATION);
            run.monitor().onProgress(Stage.EVALUATION, doneBefore + done, all);
        });
        double[] learned = RewardModels.score(reward, answers.exchanges());
        double[] gold = answers.exchanges().stream().mapToDouble(run::goldScore).toArray();
        double[] met = Arrays.stream(gold)
                .map(score -> Double.isNaN(score) ? score : score == 1 ? 1 : 0)
                .toArray();
        return new Judged(answers, learned, gold, met);
    }

    private void gold(Judged sft, Optimised optimised) {
        if (hasGold) {
            String title = optimised.algorithm().title();
            String label = optimised.algorithm().label();
            double before = mean(sft.met());
            double after = mean(optimised.judged().met());
            boolean main = run.isMainJob();
            add("gold/share_sft", "share of answers that meet the hidden taste, SFT", before, null);
            add(
                    "gold/share_" + label,
                    "share of answers that meet the hidden taste, " + title,
                    after,
                    main ? GOLD_TARGET : null);
            // where no answer met it before there is no ratio to reach a target with
            double gain = before == 0 ? Double.NaN : after / before;
            add("gold/share_gain", "that share, " + title + " to SFT", gain, main ? GAIN_TARGET : null);
            add("gold/score_sft", "hidden taste's score in [0, 1], SFT", mean(sft.gold()), null);
            add(
                    "gold/score_" + label,
                    "hidden taste's score in [0, 1], " + title,
                    mean(optimised.judged().gold()),
                    null);
        }
    }

    private List<SelectionPoint> points(Judged sft, List<Optimised> optimised) {
        int most = config.evaluation().bestOf();
        BestOfNCurve curve = BestOfNCurve.of(
                sft.answers().byPrompt(sft.learned()),
                sft.answers().byPrompt(hasGold ? sft.met() : sft.learned()),
                1,
                most / 4,
                most);
        List<SelectionPoint> points = new ArrayList<>();
        for (BestOfNCurve.Point point : curve.points()) {
            double gold = hasGold ? point.gold() : Double.NaN;
            double bound = BestOfNKl.bound(point.n());
            points.add(new SelectionPoint(
                    point.n() == 1 ? "SFT" : "SFT, best of " + point.n(), bound, gold, point.proxy()));
            if (hasGold && point.n() > 1) {
                add(
                        "gold/share_best_of_" + point.n(),
                        "that share, SFT best of " + point.n() + " (KL at most "
                                + String.format(java.util.Locale.ROOT, "%.2f", bound) + ")",
                        gold,
                        null);
            }
        }
        for (Optimised one : optimised) {
            double share = hasGold ? mean(one.judged().met()) : Double.NaN;
            points.add(new SelectionPoint(
                    one.algorithm().title(), one.kl(), share, mean(one.judged().learned())));
        }
        return points;
    }

    private void outputs(String name, String who, Answers answers, TransformerPolicy pretrained) {
        add(
                "outputs/perplexity_" + name,
                "perplexity of the answers under the pretrained model, " + who,
                OutputStatistics.perplexity(pretrained, answers.exchanges()),
                null);
        add(
                "outputs/distinct_2_" + name,
                "share of different word pairs, one answer to each prompt, " + who,
                OutputStatistics.distinct(answers, 2),
                null);
        add(
                "outputs/stopped_" + name,
                "share of answers that end by themselves, " + who,
                answers.completions().stream()
                        .mapToDouble(c -> c.stopped() ? 1 : 0)
                        .average()
                        .orElse(Double.NaN),
                null);
    }

    private static List<Sample> samples(Judged sft, Judged ppo) {
        List<Sample> samples = new ArrayList<>();
        for (int i = 0; i < sft.answers().prompts(); i++) {
            int b = i * sft.answers().perPrompt();
            int a = i * ppo.answers().perPrompt();
            samples.add(new Sample(
                    sft.answers().exchanges().get(b).prompt(),
                    sft.answers().exchanges().get(b).response(),
                    ppo.answers().exchanges().get(a).response(),
                    sft.learned()[b],
                    ppo.learned()[a],
                    sft.gold()[b],
                    ppo.gold()[a]));
        }
        return samples;
    }

    private static List<CalibrationBin> bins(RewardCalibration calibration) {
        return calibration.bins().stream()
                .filter(bin -> bin.comparisons() > 0)
                .map(bin -> new CalibrationBin(bin.meanConfidence(), bin.frequency(), bin.comparisons()))
                .toList();
    }

    private void add(String path, String label, double value, @Nullable Double atLeast) {
        measurements.add(new Measurement(path, label, value, atLeast));
    }

    private static double mean(double[] numbers) {
        return Arrays.stream(numbers).average().orElse(Double.NaN);
    }
}
