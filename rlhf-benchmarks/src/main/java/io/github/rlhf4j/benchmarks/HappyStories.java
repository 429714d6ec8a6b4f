package io.github.rlhf4j.benchmarks;

import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Demonstration;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.Critic;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.PpoTrainer;
import io.github.rlhf4j.ppo.RewardSettings;
import io.github.rlhf4j.ppo.math.KlController;
import io.github.rlhf4j.ppo.math.MissingStop;
import io.github.rlhf4j.reward.TransformerRewardModel;
import io.github.rlhf4j.reward.training.RewardModelConfig;
import io.github.rlhf4j.reward.training.RewardModelTrainer;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.TransformerValueFunction;
import io.github.rlhf4j.transformer.model.LoraConfig;
import io.github.rlhf4j.transformer.model.LoraTarget;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import io.github.rlhf4j.transformer.training.LearningRatePlan;
import io.github.rlhf4j.transformer.training.SftConfig;
import io.github.rlhf4j.transformer.training.SftTrainer;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * The whole recipe on a model that already speaks, stories260K of llama2.c: fine-tuning on stories, a reward model from
 * comparisons of its own stories, and PPO towards happier ones. The labeler prefers by VADER's lexicon, which no model sees.
 */
public final class HappyStories {

    private static final int NEW_TOKENS = 64;
    private static final int HELD_OUT = 60;
    private static final int ANSWERS = 8;
    private static final double MISTAKES = 0.1;
    private static final double KL = 0.3;
    private static final int ROLLOUT = 64;
    private static final double RATE = 3e-4;

    /** Adapters start from nothing and are few. */
    private static final double ADAPTERS_RATE = 5e-3;

    private static final LoraConfig ADAPTERS = LoraConfig.defaults()
            .withTargets(Set.of(
                    LoraTarget.QUERY,
                    LoraTarget.KEY,
                    LoraTarget.VALUE,
                    LoraTarget.ATTENTION_OUTPUT,
                    LoraTarget.GATE,
                    LoraTarget.UP,
                    LoraTarget.DOWN));

    /**
     * What is measured on held-out openings.
     *
     * @param gold mean sentiment, in (−1, 1)
     * @param learned mean score of the reward model
     * @param kl nats per story to the fine-tuned model
     * @param perplexity of the stories under the model of llama2.c
     * @param distinct share of pairs of neighbouring words that are different ones
     */
    public record Measured(double gold, double learned, double kl, double perplexity, double distinct) {

        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "sentiment %.3f, learned score %.3f, KL %.2f, perplexity %.2f, distinct pairs %.3f",
                    gold,
                    learned,
                    kl,
                    perplexity,
                    distinct);
        }
    }

    private final TransformerPolicy original;
    private final ChatFormat format;
    private final Sentiment sentiment;
    private final PrintStream out;
    private final List<Conversation> openings = StoryOpenings.all();

    private HappyStories(TransformerPolicy original, Sentiment sentiment, PrintStream out) {
        this.original = original;
        this.format = new StoryFormat(original.tokenizer());
        this.sentiment = sentiment;
        this.out = out;
    }

    /**
     * Runs it and prints what it measures.
     *
     * @param args the data directory (its stories260K, vader and tinystories-sample), the number of rollouts (60), and {@code lora} to
     *     train adapters in place of all weights
     */
    public static void main(String[] args) throws IOException {
        Path data = Path.of(args[0]);
        boolean lora = args.length > 2 && args[2].equals("lora");
        run(data, args.length > 1 ? Integer.parseInt(args[1]) : 60, lora, System.out);
    }

    /** Before and after. */
    public static List<Measured> run(Path data, int rollouts, boolean lora, PrintStream out) throws IOException {
        AdamWConfig optimizer = AdamWConfig.policyOptimization();
        try (TransformerPolicy original =
                        TransformerPolicy.load(data.resolve("stories260K/stories260K.bin"), optimizer);
                TransformerPolicy supervised = original.copy(optimizer)) {
            HappyStories work =
                    new HappyStories(original, Sentiment.read(data.resolve("vader/vader_lexicon.txt")), out);
            long start = System.nanoTime();
            work.fineTune(supervised, data.resolve("tinystories-sample/TinyStories-valid-head.txt"));
            try (TransformerRewardModel reward = work.learnReward(supervised);
                    TransformerPolicy happy =
                            lora ? supervised.withLora(ADAPTERS, optimizer, 8) : supervised.copy(optimizer)) {
                out.println("trained in PPO: " + happy.parameters().count() + " numbers");
                Measured before = work.measure(supervised, supervised, reward);
                work.optimize(happy, supervised, reward, rollouts, lora ? ADAPTERS_RATE : RATE);
                Measured after = work.measure(happy, supervised, reward);
                out.println("before: " + before);
                out.println("after:  " + after);
                out.printf(
                        Locale.ROOT,
                        "in %d s%n",
                        Duration.ofNanos(System.nanoTime() - start).toSeconds());
                work.show("before", supervised);
                work.show("after", happy);
                return List.of(before, after);
            }
        }
    }

    private List<Conversation> training() {
        return openings.subList(HELD_OUT, openings.size());
    }

    private Sampling sampling() {
        return Sampling.exact(NEW_TOKENS, 1, format.stopTokens());
    }

    /** On real stories, the first sentence as the prompt. */
    private void fineTune(TransformerPolicy policy, Path stories) throws IOException {
        List<Demonstration> demonstrations = new ArrayList<>();
        for (String story : Files.readString(stories).split("\\R")) {
            int end = story.indexOf(". ");
            if (end > 0 && end + 2 < story.length() && story.length() < 1100) {
                demonstrations.add(Demonstration.of(story.substring(0, end + 1), story.substring(end + 2)));
            }
        }
        SftConfig config = SftConfig.defaults(2, policy.contextLength())
                .withBatchSize(4)
                .withLearningRate(LearningRatePlan.constant(1e-4));
        try (SftTrainer trainer = new SftTrainer(policy, format, demonstrations, List.of(), config)) {
            trainer.run();
        }
        out.println("fine-tuned on " + demonstrations.size() + " stories");
    }

    /** From rankings of the policy's own stories; one ranking in ten is turned round at random. */
    private TransformerRewardModel learnReward(TransformerPolicy policy) throws IOException {
        List<Ranking> rankings = new ArrayList<>();
        for (Conversation opening : training()) {
            RandomKey key = RandomKey.of(3).child(rankings.size());
            List<String> stories = stories(
                    policy, IntStream.range(0, ANSWERS).mapToObj(i -> opening).toList(), key.bits());
            rankings.add(rank(opening, stories, key.child("mistake").uniform() < MISTAKES));
        }
        int validated = rankings.size() / 10;
        PreferenceDataset learned = PreferenceDataset.of(rankings.subList(validated, rankings.size()));
        PreferenceDataset unseen = PreferenceDataset.of(rankings.subList(0, validated));
        TransformerRewardModel reward = TransformerRewardModel.of(policy, format, AdamWConfig.gpt3(), 4);
        RewardModelConfig defaults =
                RewardModelConfig.instructGpt(learned.size(), 5).withEpochs(4);
        long steps = defaults.totalSteps(learned.size());
        try (RewardModelTrainer trainer = new RewardModelTrainer(
                reward,
                learned,
                unseen,
                defaults.withSchedule(new LearningRateSchedule.WarmupCosine(1e-3, 1e-4, steps / 20, steps)))) {
            trainer.run((t, report) -> {
                if (report.metrics().containsKey("reward/validation_accuracy")) {
                    out.printf(
                            Locale.ROOT,
                            "reward model, step %d: accuracy on unseen rankings %.3f%n",
                            report.step(),
                            report.metric("reward/validation_accuracy"));
                }
                return true;
            });
        }
        return reward;
    }

    private Ranking rank(Conversation opening, List<String> stories, boolean mistaken) {
        Integer[] order = IntStream.range(0, stories.size()).boxed().toArray(Integer[]::new);
        Comparator<Integer> happier = Comparator.comparingDouble(i -> -sentiment.of(stories.get(i)));
        Arrays.sort(order, mistaken ? happier.reversed() : happier);
        Integer[] ranks = new Integer[order.length];
        for (int place = 0; place < order.length; place++) {
            boolean tied =
                    place > 0 && sentiment.of(stories.get(order[place])) == sentiment.of(stories.get(order[place - 1]));
            ranks[order[place]] = tied ? ranks[order[place - 1]] : place + 1;
        }
        return new Ranking(opening, stories, List.of(ranks));
    }

    private void optimize(
            TransformerPolicy policy,
            TransformerPolicy reference,
            TransformerRewardModel reward,
            int rollouts,
            double rate) {
        PpoConfig config = PpoConfig.of(rollouts, new BatchPlan(ROLLOUT, ROLLOUT / 2), sampling(), 6)
                .withRewards(RewardSettings.defaults()
                        .withKl(new KlController.Fixed(KL))
                        .withMissingStop(new MissingStop.Keep()))
                .withRates(
                        new LearningRateSchedule.WarmupLinear(rate, 0, rollouts),
                        new LearningRateSchedule.WarmupLinear(1e-3, 0, rollouts));
        List<Prompt> prompts =
                training().stream().map(opening -> Prompt.of(opening, format)).toList();
        try (TransformerValueFunction values = reward.toValueFunction(AdamWConfig.policyOptimization());
                PpoTrainer trainer = PpoTrainer.builder()
                        .config(config)
                        .policy(policy)
                        .reference(reference)
                        .rewardModel(reward)
                        .critic(Critic.separate(values))
                        .prompts(prompts)
                        .build()) {
            trainer.run((t, report) -> {
                if (report.step() % 10 == 0) {
                    out.printf(
                            Locale.ROOT,
                            "rollout %3d: learned score %.3f, KL %.2f, entropy %.2f%n",
                            report.step(),
                            report.metric("objective/score"),
                            report.metric("objective/kl"),
                            report.metric("objective/entropy"));
                }
                return true;
            });
        }
    }

    private List<Completion> complete(TransformerPolicy policy, List<Conversation> asked, long seed) {
        return policy.complete(asked.stream().map(format::prompt).toList(), sampling(), seed);
    }

    private List<String> stories(TransformerPolicy policy, List<Conversation> asked, long seed) {
        return complete(policy, asked, seed).stream()
                .map(completion -> policy.tokenizer().decode(completion.response()))
                .toList();
    }

    private Measured measure(TransformerPolicy policy, TransformerPolicy supervised, TransformerRewardModel reward) {
        List<Conversation> asked = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            asked.addAll(openings.subList(0, HELD_OUT));
        }
        List<Completion> completions = complete(policy, asked, 9);
        SequenceBatch batch = new SequenceBatch(
                completions.stream().map(Completion::toScoredSequence).toList());
        List<String> stories = completions.stream()
                .map(completion -> policy.tokenizer().decode(completion.response()))
                .toList();
        double gold = stories.stream().mapToDouble(sentiment::of).average().orElseThrow();
        double learned = Arrays.stream(reward.score(IntStream.range(0, stories.size())
                        .mapToObj(i -> new io.github.rlhf4j.core.Exchange(asked.get(i), stories.get(i)))
                        .toList()))
                .average()
                .orElseThrow();
        double kl = (sum(policy.score(batch).logProbs())
                        - sum(supervised.score(batch).logProbs()))
                / stories.size();
        double perplexity = Math.exp(-sum(original.score(batch).logProbs()) / batch.scoredCount());
        return new Measured(gold, learned, kl, perplexity, distinctPairs(stories));
    }

    private static double sum(double[][] rows) {
        return Arrays.stream(rows).flatMapToDouble(Arrays::stream).sum();
    }

    private static double distinctPairs(List<String> stories) {
        Set<String> different = new HashSet<>();
        int pairs = 0;
        for (String story : stories) {
            String[] words = story.toLowerCase(Locale.ROOT).split("[^a-z']+");
            for (int i = 1; i < words.length; i++) {
                different.add(words[i - 1] + " " + words[i]);
                pairs++;
            }
        }
        return (double) different.size() / Math.max(1, pairs);
    }

    private void show(String when, TransformerPolicy policy) {
        List<Conversation> asked = openings.subList(0, 3);
        List<String> stories = stories(policy, asked, 11);
        for (int i = 0; i < stories.size(); i++) {
            out.println(when + ": " + asked.get(i).lastUserText() + " | "
                    + stories.get(i).replace('\n', ' '));
        }
    }
}
