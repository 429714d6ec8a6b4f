package io.github.rlhf4j.benchmarks;

import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.data.PreferenceFiles;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.ppo.preference.DpoConfig;
import io.github.rlhf4j.ppo.preference.DpoTrainer;
import io.github.rlhf4j.ppo.preference.ImplicitRewardModel;
import io.github.rlhf4j.ppo.preference.math.DpoLoss;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.chat.ChatTemplate;
import io.github.rlhf4j.transformer.chat.TemplateChatFormat;
import io.github.rlhf4j.transformer.files.ModelSource;
import io.github.rlhf4j.transformer.kernels.WeightFormat;
import io.github.rlhf4j.transformer.model.LoraConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * DPO with LoRA on somebody else's model and real preferences: SmolLM2-135M-Instruct from its GGUF file, in its own chat template,
 * on LLaMA-Factory's demonstration pairs. Accuracy is the share of held-out pairs whose chosen answer has the higher implicit
 * reward; a model that has learned nothing has none.
 */
public final class AlignSmolLm {

    private static final double BETA = 0.1;

    /** Characters of a conversation and its longer answer; these are about 500 tokens. */
    private static final int LONGEST = 1800;

    private static final int HELD_OUT = 40;

    private AlignSmolLm() {}

    /**
     * Runs it.
     *
     * @param args the GGUF file, the preferences, how many pairs to learn from (96), and what the frozen weights are held in
     *     (FLOAT32)
     */
    public static void main(String[] args) throws IOException {
        int pairs = args.length > 2 ? Integer.parseInt(args[2]) : 96;
        WeightFormat weights = args.length > 3 ? WeightFormat.valueOf(args[3]) : WeightFormat.FLOAT32;
        AdamWConfig optimizer = AdamWConfig.policyOptimization();
        List<Ranking> all = preferences(Path.of(args[1]));
        List<Ranking> heldOut = all.subList(0, HELD_OUT);
        List<Ranking> learned = all.subList(HELD_OUT, Math.min(all.size(), HELD_OUT + pairs));
        ModelSource files = ModelSource.open(Path.of(args[0]));
        try (TransformerPolicy base = TransformerPolicy.load(Path.of(args[0]), optimizer, weights);
                TransformerPolicy policy =
                        base.withLora(LoraConfig.defaults().withRank(16).withAlpha(32), optimizer, 1)) {
            ChatFormat format = new TemplateChatFormat(
                    ChatTemplate.of(files.chatTemplate().orElseThrow(), "<|im_start|>", "<|im_end|>"),
                    base.tokenizer());
            System.out.printf(
                    Locale.ROOT,
                    "%d pairs, %d held out; adapters of %,d numbers on %,d MB of %s that stay%n",
                    learned.size(),
                    heldOut.size(),
                    policy.parameters().count(),
                    base.parameters().bytes() / 1_000_000,
                    weights);
            answer("before", policy, format);
            long start = System.nanoTime();
            train(policy, base, format, learned);
            RewardModel implicit = ImplicitRewardModel.of(policy, base, format, new DpoLoss(BETA).reward());
            System.out.printf(
                    Locale.ROOT,
                    "accuracy on pairs learned from %.3f, on held-out pairs %.3f, after %d s%n",
                    accuracy(implicit, learned),
                    accuracy(implicit, heldOut),
                    Duration.ofNanos(System.nanoTime() - start).toSeconds());
            answer("after", policy, format);
        }
    }

    /** Short pairs, in a fixed random order. */
    private static List<Ranking> preferences(Path file) throws IOException {
        List<Ranking> fitting = new ArrayList<>();
        PreferenceDataset dataset = PreferenceFiles.read(file);
        for (int i = 0; i < dataset.size(); i++) {
            Ranking ranking = dataset.get(i);
            int length = ranking.conversation().toString().length()
                    + ranking.responses().stream()
                            .mapToInt(String::length)
                            .max()
                            .orElse(0);
            if (length <= LONGEST) {
                fitting.add(ranking);
            }
        }
        int[] order = RandomKey.of(7).child("preferences").permutation(fitting.size());
        return IntStream.of(order).mapToObj(fitting::get).toList();
    }

    private static void train(
            TransformerPolicy policy, TransformerPolicy base, ChatFormat format, List<Ranking> learned) {
        DpoConfig defaults = DpoConfig.defaults(2, 3)
                .withBatchSize(8)
                .withLoss(new DpoLoss(BETA))
                .withMicroBatchTokens(2048);
        DpoConfig config = defaults.withSchedule(
                new LearningRateSchedule.WarmupLinear(5e-4, 2, defaults.totalSteps(learned.size())));
        try (DpoTrainer trainer = DpoTrainer.builder()
                .config(config)
                .policy(policy)
                .reference(base)
                .format(format)
                .preferences(PreferenceDataset.of(learned))
                .build()) {
            trainer.run((t, report) -> {
                System.out.println("step " + report.step() + " " + report.metrics());
                return true;
            });
        }
    }

    private static double accuracy(RewardModel reward, List<Ranking> pairs) {
        int right = 0;
        for (Ranking pair : pairs) {
            double[] scores = reward.score(pair.responses().stream()
                    .map(response -> new Exchange(pair.conversation(), response))
                    .toList());
            boolean firstPreferred = pair.ranks().get(0) < pair.ranks().get(1);
            right += scores[0] > scores[1] == firstPreferred ? 1 : 0;
        }
        return (double) right / pairs.size();
    }

    private static void answer(String when, TransformerPolicy policy, ChatFormat format) {
        Conversation question = Conversation.of("What should I do when it rains?");
        Completion completion = policy.complete(
                        List.of(format.prompt(question)), Sampling.greedy(60, format.stopTokens()), 0)
                .get(0);
        System.out.println(
                when + ": " + policy.tokenizer().decode(completion.response()).replace('\n', ' '));
    }
}
