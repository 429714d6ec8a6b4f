package io.github.rlhf4j.ppo.preference;

import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.TrainablePolicy;
import io.github.rlhf4j.core.random.EpochOrder;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.core.training.Checkpoints;
import io.github.rlhf4j.core.training.DataDigest;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.core.training.Trainer;
import io.github.rlhf4j.core.training.TrainerState;
import io.github.rlhf4j.ppo.JudgedRollout;
import io.github.rlhf4j.ppo.JudgedRollouts;
import io.github.rlhf4j.ppo.KlBacktracking;
import io.github.rlhf4j.ppo.RolloutParts;
import io.github.rlhf4j.ppo.internal.RunEnd;
import io.github.rlhf4j.ppo.math.RewardShaping;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * Online direct preference optimisation (Guo et al. 2024, "Direct language model alignment from online AI feedback", arXiv
 * 2402.04792): the policy answers each prompt several times, a judge says which response is better, and a loss of pairs learns
 * from that, of which {@link OnlineDpoConfig#loss()} is any. What is learned from is always the policy's own, which DPO's fixed
 * pairs cease to be; there is no value function and no advantage.
 *
 * <p>The judge is a reward model: the better response is the one that scores more, and a prompt whose responses tie gives no
 * pair (TRL's {@code online_dpo_trainer.py}, f2cd577, takes the first of two that tie for the better). A judge of pairs that
 * says how likely a preference is becomes one by scores with Gumbel noise: then the better score has Bradley–Terry's probability,
 * and the policy goes to π_ref·exp(r/β)/Z.
 *
 * <p>With a {@link io.github.rlhf4j.ppo.DialogueEnvironment} it is the dialogues begun with a prompt that are compared, by what
 * their turns were paid together; log-probs are sums over the policy's tokens of all turns, and the others' tokens are context
 * alone (Xiong et al. 2024, "Building math agents with multi-turn iterative preference learning", arXiv 2409.02392). Where it goes
 * is as said while what the environment says and pays is a function of the tokens, Gumbel noise on the last payment aside; what
 * it draws otherwise makes some dialogues better by luck, which a comparison takes for merit.
 *
 * <p>The models belong to the caller: the trainer moves the policy, only ever scores with the reference, and closes neither.
 * All randomness follows from the seed. Metrics of the rollout are PPO's ({@code objective/…} and {@code rollout/…}, by
 * sequence), those of the pairs {@link DpoTrainer}'s ({@code dpo/…}, absent where a rollout gave no pair); {@code online/pairs},
 * {@code online/skipped} (prompts without a pair) and {@code online/score_margin} (reward units) say what the judge gave.
 */
public final class OnlineDpoTrainer implements Trainer {

    private static final String NAME = "online-dpo";
    private static final String POLICY_DIRECTORY = "policy";

    /** What a run must have in common with the checkpoint it resumes from. */
    private record Setup(OnlineDpoConfig config, String promptsSha256) {}

    /** What the updates on a rollout did. */
    private record Updates(DpoTally tally, double gradientNorm) {}

    private final OnlineDpoConfig config;
    private final Setup setup;
    private final TrainablePolicy policy;
    private final List<Prompt> prompts;
    private final JudgedRollouts rollouts;
    private final JudgedRollouts.Scorer scorer;
    private final PreferencePasses passes;
    private final KlBacktracking backtracking;
    private final EpochOrder promptOrder;
    private final RandomKey rolloutKey;
    private final RandomKey minibatchKey;
    private long iteration;

    OnlineDpoTrainer(OnlineDpoConfig config, RolloutParts parts) {
        RandomKey key = RandomKey.of(config.seed()).child(NAME);
        this.config = config;
        this.policy = parts.policy();
        this.prompts = parts.prompts();
        this.setup = new Setup(config, DataDigest.ofPrompts(prompts));
        this.rollouts = new JudgedRollouts(parts, config.sampling(), config.guards(), config.microBatchTokens());
        this.scorer = parts.sampler() == policy ? JudgedRollouts.Scorer.SAMPLER : JudgedRollouts.Scorer.POLICY;
        this.passes = new PreferencePasses(
                policy,
                config.loss(),
                config.microBatchTokens(),
                config.sampling().temperature());
        this.backtracking = new KlBacktracking(
                config.guards().klBudget(), config.iterations(), policy, policy, config.microBatchTokens());
        this.promptOrder = new EpochOrder(key.child("prompts"), prompts.size());
        this.rolloutKey = key.child("rollouts");
        this.minibatchKey = key.child("minibatches");
    }

    /** One iteration: a rollout of several responses to each prompt, and the updates on its pairs. */
    @Override
    public StepReport step() {
        RunEnd.requireUnfinished(this, "this run");
        JudgedRollout rollout = sample();
        double[] scores = RewardShaping.applyMissingStop(rollout.scores(), rollout.stopped(), config.missingStop());
        OnlinePairs pairs = OnlinePairs.of(rollout, scores, config.samples());
        Map<String, Double> metrics = rollouts.metrics(rollout, column(scores));
        metrics.put("dpo/learning_rate", config.rate().at(iteration));
        metrics.put("online/pairs", (double) pairs.size());
        metrics.put("online/skipped", (double) rollout.size() / config.samples() - pairs.size());
        if (pairs.size() > 0) {
            metrics.put("online/score_margin", pairs.scoreMargin(scores));
            learn(pairs, metrics);
        }
        iteration++;
        return new StepReport(NAME, iteration, totalSteps(), metrics);
    }

    private JudgedRollout sample() {
        int count = config.batches().rollout() / config.samples();
        List<Prompt> repeated = Arrays.stream(promptOrder.take(iteration * count, count))
                .mapToObj(prompts::get)
                .flatMap(prompt -> Collections.nCopies(config.samples(), prompt).stream())
                .toList();
        return rollouts.sample(
                repeated, scorer, iteration, rolloutKey.child(iteration).bits());
    }

    private void learn(OnlinePairs pairs, Map<String, Double> metrics) {
        JudgedRollout rollout = pairs.rollout();
        RewardMean before = passes.rewardMean();
        KlBacktracking.Outcome<Updates> outcome = backtracking.update(
                rollout.batch(),
                rollout.samplerLogProbs(),
                rollout.logProbs(),
                rollout.referenceLogProbs(),
                rateFactor -> {
                    passes.restore(before);
                    return optimise(pairs, rateFactor);
                });
        boolean kept = outcome.rateFactor() > 0;
        if (!kept) {
            passes.restore(before);
        }
        Updates updates = outcome.tally();
        updates.tally().report(metrics);
        metrics.put("dpo/gradient_norm", updates.gradientNorm());
        metrics.put("dpo/updates", kept ? updates.tally().batches() : 0.0);
        metrics.computeIfPresent("dpo/learning_rate", (path, rate) -> outcome.rateFactor() * rate);
        outcome.report(metrics);
    }

    /** Epochs × minibatches of updates on a rollout's pairs. */
    private Updates optimise(OnlinePairs pairs, double rateFactor) {
        DpoTally tally = new DpoTally();
        int size = config.batches().minibatch() / config.samples();
        double norms = 0;
        for (int epoch = 0; epoch < config.epochs(); epoch++) {
            int[] order = minibatchKey.child(iteration).child(epoch).permutation(pairs.size());
            for (int from = 0; from < order.length; from += size) {
                int[] drawn = Arrays.copyOfRange(order, from, Math.min(from + size, order.length));
                accumulate(pairs, drawn, tally);
                norms += policy.update(rateFactor * config.rate().at(iteration)).gradientNorm();
            }
        }
        return new Updates(tally, norms / tally.batches());
    }

    /** Adds the gradient of some pairs; before the first update the policy that scores is the one that sampled. */
    private void accumulate(OnlinePairs pairs, int[] drawn, DpoTally tally) {
        boolean onPolicy = tally.batches() == 0;
        double[][] sampled = pairs.logProbs(drawn);
        passes.accumulate(
                iteration + 1,
                pairs.examples(drawn),
                pairs.references(drawn),
                (from, scored) -> {
                    if (onPolicy) {
                        rollouts.requireOnPolicy(
                                scored, Arrays.copyOfRange(sampled, 2 * from, 2 * from + scored.length));
                    }
                },
                tally);
    }

    private static double[][] column(double[] scores) {
        return Arrays.stream(scores).mapToObj(score -> new double[] {score}).toArray(double[][]::new);
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public long stepsDone() {
        return iteration;
    }

    @Override
    public long totalSteps() {
        return config.iterations();
    }

    @Override
    public void save(Path directory) throws IOException {
        Checkpoints.write(directory, fresh -> {
            policy.saveState(Files.createDirectory(fresh.resolve(POLICY_DIRECTORY)));
            TrainerState.write(
                    fresh, NAME, iteration, setup, passes.rewardMean().numbers());
        });
    }

    @Override
    public void restore(Path directory) throws IOException {
        Checkpoints.verify(directory);
        TrainerState state = TrainerState.read(directory).requireStage(NAME).requireSameConfig(setup);
        RewardMean savedMean = RewardMean.of(state);
        policy.restoreState(directory.resolve(POLICY_DIRECTORY));
        passes.restore(savedMean);
        iteration = state.stepsDone();
    }

    /** Closes nothing: the models are the caller's. */
    @Override
    public void close() {}

    /** Begins a trainer: its parts are named one by one. */
    public static OnlineDpoTrainerBuilder builder() {
        return new OnlineDpoTrainerBuilder();
    }
}
