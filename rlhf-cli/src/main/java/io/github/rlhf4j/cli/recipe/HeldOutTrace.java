package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.cli.report.HeldOutPoint;
import io.github.rlhf4j.cli.report.RunRecords;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.reward.RewardModels;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How a policy does on held-out prompts while it is optimised: what algorithms are compared by, at equal KL and at equal time.
 * Looks are at each tenth of the run, and before the first of those after 1, 2, 4, 8 … steps, for a policy is often far from
 * where it began by then. Its draws are its own, so that looking changes nothing.
 */
final class HeldOutTrace {

    private static final int LOOKS = 10;

    private final Recipe run;
    private final Algorithm algorithm;
    private final Policy policy;
    private final Policy reference;
    private final @Nullable RewardModel reward;
    private double seconds = Double.NaN;

    /** @param reward whose scores are noted too, where there is one */
    HeldOutTrace(Recipe run, Algorithm algorithm, Policy policy, Policy reference, @Nullable RewardModel reward) {
        this.run = run;
        this.algorithm = algorithm;
        this.policy = policy;
        this.reference = reference;
        this.reward = reward;
    }

    /** The metrics of a look after a step where there is one; otherwise none. */
    Map<String, Double> after(StepReport report, double stepSeconds) {
        try {
            seconds = secondsBefore(report.step()) + stepSeconds;
            return looksAfter(report.step(), report.totalSteps()) ? look(report.step()) : Map.of();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot note how held-out prompts are answered: " + e.getMessage(), e);
        }
    }

    static boolean looksAfter(long step, long totalSteps) {
        long tenth = Math.max(1, totalSteps / LOOKS);
        boolean doubled = step < tenth && Long.bitCount(step) == 1;
        return doubled || step % tenth == 0 || step == totalSteps;
    }

    private Map<String, Double> look(long step) throws IOException {
        RecipeConfig config = run.config();
        List<Conversation> prompts = LanguageStages.few(
                run.data().prompts().heldOut(), config.evaluation().prompts());
        Sampling sampling = Sampling.exact(
                config.ppo().maxNewTokens(),
                config.ppo().temperature(),
                run.models().format().stopTokens());
        RandomKey key = RandomKey.of(config.seed())
                .child("held-out look")
                .child(algorithm.label())
                .child(step);
        Answers answers = Answers.sample(policy, run.models().readable(), prompts, 1, sampling, key, done -> {});
        double[] gold = answers.exchanges().stream().mapToDouble(run::goldScore).toArray();
        Map<String, Double> metrics = new LinkedHashMap<>();
        double kl = OutputStatistics.klPerSequence(
                policy, reference, answers.completions(), config.ppo().temperature());
        double learned = reward == null ? Double.NaN : mean(RewardModels.score(reward, answers.exchanges()));
        double share = mean(Arrays.stream(gold)
                .map(score -> Double.isNaN(score) ? score : score == 1 ? 1 : 0)
                .toArray());
        metrics.put("held_out/kl", kl);
        if (reward != null) {
            metrics.put("held_out/score", learned);
        }
        if (run.data().taste() != null) {
            metrics.put("held_out/gold_share", share);
            metrics.put("held_out/gold_score", mean(gold));
        }
        note(new HeldOutPoint(algorithm.label(), step, seconds, kl, learned, share, mean(gold)));
        return metrics;
    }

    private static double mean(double[] numbers) {
        return Arrays.stream(numbers).average().orElse(Double.NaN);
    }

    /** Of training before this step; where a run was gone on with, what was noted at the last look before. */
    private double secondsBefore(long step) throws IOException {
        return Double.isNaN(seconds)
                ? RunRecords.readHeldOut(run.directory().root()).stream()
                        .filter(point -> point.algorithm().equals(algorithm.label()) && point.step() < step)
                        .mapToDouble(HeldOutPoint::seconds)
                        .max()
                        .orElse(0)
                : seconds;
    }

    private void note(HeldOutPoint point) throws IOException {
        List<HeldOutPoint> points =
                new ArrayList<>(RunRecords.readHeldOut(run.directory().root()).stream()
                        .filter(old -> !old.algorithm().equals(point.algorithm()) || old.step() < point.step())
                        .toList());
        points.add(point);
        RunRecords.writeHeldOut(run.directory().root(), points);
    }
}
