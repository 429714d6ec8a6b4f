package io.github.rlhf4j.benchmarks;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.core.training.TrainingListener;
import io.github.rlhf4j.ppo.AdvantageSettings;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.Critic;
import io.github.rlhf4j.ppo.LossSettings;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.PpoTrainer;
import io.github.rlhf4j.ppo.RewardSettings;
import io.github.rlhf4j.ppo.math.ClippedValueLoss;
import io.github.rlhf4j.ppo.math.KlController;
import io.github.rlhf4j.ppo.math.MissingStop;
import io.github.rlhf4j.transformer.ScalarTransformer;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.TransformerValueFunction;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import io.github.rlhf4j.transformer.tokenizer.CharacterTokenizer;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * verl's end-to-end test of PPO (its releases 0.2 to 0.4, {@code tests/e2e/arithmetic_sequence}), with its settings: 4 layers,
 * 4 heads, width 128, feed-forward 344, 16 symbols; policy and critic each begin <b>at random</b>, without fine-tuning; 800 of
 * the 1,000 prompts to learn from, all of them in each rollout, one epoch of four minibatches; rates 1e-4 and 1e-3, clip 0.2
 * and 0.5, γ = λ = 1, KL coefficient 0.005, AdamW's β 0.9 and 0.999 with decay 0.01. It passes when the best mean reward of a
 * rollout is above 0.2; theirs runs for 200 rollouts.
 *
 * <p>The model is GPT-2's kind in float32 where theirs is LLaMA's kind in bfloat16; rewards are paid token by token as they
 * are earned, as theirs are. At their policy rate and one epoch it stays below the mark (0.158 within 200 rollouts); with
 * {@link Settings#PASSING} it passes at rollout 59 or 66, by machine.
 */
public final class DigitCompletionBenchmark {

    /** Mean reward of a rollout that verl's test asks for. */
    public static final double PASS_MARK = 0.2;

    /**
     * What may be asked for otherwise.
     *
     * @param responses per rollout, a multiple of 4
     * @param policyRate learning rate of the policy; the critic's stays theirs
     * @param epochs passes over each rollout
     */
    public record Settings(int rollouts, int responses, double policyRate, int epochs) {

        /** verl's own. */
        public static final Settings THEIRS = new Settings(200, 800, 1e-4, 1);

        /** A policy rate as high as the critic's, and two epochs. */
        public static final Settings PASSING = new Settings(110, 800, 1e-3, 2);
    }

    /**
     * A run.
     *
     * @param meanRewards of each rollout
     * @param heldOutReward mean over the 200 prompts that were not learned from, sampled greedily
     */
    public record Result(List<Double> meanRewards, double heldOutReward, double worstOnPolicyError, Duration wallTime) {

        public Result {
            meanRewards = List.copyOf(meanRewards);
        }

        public double best() {
            return meanRewards.stream().mapToDouble(r -> r).max().orElseThrow();
        }
    }

    private DigitCompletionBenchmark() {}

    /**
     * Runs it and prints the curve.
     *
     * @param args {@link Settings} in their order; what is missing is as theirs
     */
    public static void main(String[] args) {
        run(
                new Settings(
                        args.length > 0 ? Integer.parseInt(args[0]) : Settings.THEIRS.rollouts(),
                        args.length > 1 ? Integer.parseInt(args[1]) : Settings.THEIRS.responses(),
                        args.length > 2 ? Double.parseDouble(args[2]) : Settings.THEIRS.policyRate(),
                        args.length > 3 ? Integer.parseInt(args[3]) : Settings.THEIRS.epochs()),
                System.out);
    }

    /** Trains from random weights. */
    public static Result run(Settings settings, PrintStream out) {
        CharacterTokenizer tokenizer = DigitCompletion.tokenizer();
        List<Prompt> all = DigitCompletion.prompts(tokenizer);
        int[] order = RandomKey.of(1).child("split").permutation(all.size());
        List<Prompt> training =
                IntStream.range(0, 800).mapToObj(i -> all.get(order[i])).toList();
        List<Prompt> heldOut =
                IntStream.range(800, 1000).mapToObj(i -> all.get(order[i])).toList();
        PpoConfig config = config(settings, tokenizer);
        try (TransformerPolicy policy = randomModel(tokenizer, 1);
                TransformerPolicy reference = policy.copy();
                TransformerPolicy criticTrunk = randomModel(tokenizer, 2);
                TransformerValueFunction critic =
                        new TransformerValueFunction(ScalarTransformer.of(criticTrunk, optimizer(), 3));
                PpoTrainer trainer = PpoTrainer.builder()
                        .config(config)
                        .policy(policy)
                        .reference(reference)
                        .rewardModel(DigitCompletion.rewardModel())
                        .critic(Critic.separate(critic))
                        .prompts(training)
                        .build()) {
            out.println(config);
            List<Double> rewards = new ArrayList<>();
            double[] worst = {0};
            long start = System.nanoTime();
            TrainingListener printing = (t, report) -> {
                rewards.add(report.metric("objective/score"));
                worst[0] = Math.max(worst[0], report.metric("ppo/on_policy_error"));
                print(report, start, out);
                return true;
            };
            Duration wallTime = trainer.run(printing).wallTime();
            Result result = new Result(rewards, greedyReward(policy, heldOut), worst[0], wallTime);
            print(result, out);
            return result;
        }
    }

    static PpoConfig config(Settings settings, CharacterTokenizer tokenizer) {
        Sampling sampling = Sampling.exact(
                DigitCompletion.LONGEST_RESPONSE, 1, Set.of(tokenizer.specialToken(DigitCompletion.END)));
        int minibatch = settings.responses() / 4;
        return PpoConfig.of(settings.rollouts(), new BatchPlan(settings.responses(), minibatch), sampling, 1)
                .withEpochs(settings.epochs())
                .withRewards(RewardSettings.defaults()
                        .withKl(new KlController.Fixed(0.005))
                        .withMissingStop(new MissingStop.Keep()))
                .withAdvantages(AdvantageSettings.defaults().withLambda(1))
                .withLosses(LossSettings.defaults().withValue(new ClippedValueLoss(0.5), 1))
                .withRates(
                        new LearningRateSchedule.Constant(settings.policyRate()),
                        new LearningRateSchedule.Constant(1e-3));
    }

    private static AdamWConfig optimizer() {
        return new AdamWConfig(0.9, 0.999, 1e-8, 0.01, 1.0);
    }

    private static TransformerPolicy randomModel(CharacterTokenizer tokenizer, long seed) {
        TransformerConfig shape = TransformerConfig.gpt2(tokenizer.vocabularySize(), 48, 128, 4, 4)
                .withFeedForwardWidth(344);
        return TransformerPolicy.create(shape, tokenizer, optimizer(), seed);
    }

    private static double greedyReward(TransformerPolicy policy, List<Prompt> prompts) {
        Sampling greedy = Sampling.greedy(
                DigitCompletion.LONGEST_RESPONSE, Set.of(policy.tokenizer().specialToken(DigitCompletion.END)));
        List<Completion> completions =
                policy.complete(prompts.stream().map(Prompt::tokens).toList(), greedy, 0);
        return IntStream.range(0, prompts.size())
                .mapToDouble(i -> DigitCompletion.reward(
                        prompts.get(i).conversation().lastUserText(),
                        policy.tokenizer().decode(completions.get(i).response())))
                .average()
                .orElseThrow();
    }

    private static void print(StepReport report, long start, PrintStream out) {
        out.printf(
                Locale.ROOT,
                "rollout %3d  reward %.4f  kl %.3f  length %.1f  stopped %.2f  entropy %.3f  explained %.2f"
                        + "  clipped %.3f  on-policy error %.1e  %d s%n",
                report.step(),
                report.metric("objective/score"),
                report.metric("objective/kl"),
                report.metric("rollout/length"),
                report.metric("rollout/stopped"),
                report.metric("objective/entropy"),
                report.metric("ppo/explained_variance"),
                report.metric("ppo/clip_fraction"),
                report.metric("ppo/on_policy_error"),
                Duration.ofNanos(System.nanoTime() - start).toSeconds());
    }

    private static void print(Result result, PrintStream out) {
        out.printf(
                Locale.ROOT,
                "best mean reward %.4f (pass mark %.1f), last %.4f, held-out prompts greedily %.4f, in %d s%n",
                result.best(),
                PASS_MARK,
                result.meanRewards().get(result.meanRewards().size() - 1),
                result.heldOutReward(),
                result.wallTime().toSeconds());
    }
}
