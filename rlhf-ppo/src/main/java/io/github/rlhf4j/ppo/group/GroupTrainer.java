package io.github.rlhf4j.ppo.group;

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
import io.github.rlhf4j.ppo.RewardState;
import io.github.rlhf4j.ppo.RolloutParts;
import io.github.rlhf4j.ppo.internal.LossKl;
import io.github.rlhf4j.ppo.internal.RunEnd;
import io.github.rlhf4j.ppo.math.DynamicSampling;
import io.github.rlhf4j.ppo.math.Ragged;
import io.github.rlhf4j.ppo.math.RewardShaping;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Policy optimisation without a value function, on PPO's rollouts: GRPO, Dr. GRPO, DAPO, GSPO, CISPO, RLOO, REINFORCE,
 * REINFORCE++ and RAFT are choices of {@link GroupAlgorithm}.
 *
 * <p>With a {@link io.github.rlhf4j.ppo.DialogueEnvironment} a group is dialogues that begin with one prompt and differ in all
 * that is drawn, the environment's chances too. Each has one score, what its turns were paid together; what follows from it goes to the
 * policy's tokens of all its turns, and to nobody else's. Lengths, of {@link io.github.rlhf4j.ppo.math.OverlongPunishment} too,
 * count the policy's tokens of a dialogue.
 *
 * <p>The models belong to the caller: the trainer moves the policy, only ever scores with the reference, and closes neither.
 * All randomness follows from the seed. Metrics are by sequence (KL, score, reward) or by token (entropy, losses, ratios,
 * approximate KL).
 */
public final class GroupTrainer implements Trainer {

    private static final String NAME = "group";
    private static final String POLICY_DIRECTORY = "policy";
    private static final String PROMPTS_DRAWN = "promptsDrawn";

    /** What a run must have in common with the checkpoint it resumes from. */
    private record Setup(GroupConfig config, String promptsSha256) {}

    private final GroupConfig config;
    private final GroupAlgorithm algorithm;
    private final Setup setup;
    private final TrainablePolicy policy;
    private final List<Prompt> prompts;
    private final JudgedRollouts rollouts;
    private final GroupUpdater updater;
    private final KlBacktracking backtracking;
    private final EpochOrder promptOrder;
    private final RandomKey rolloutKey;
    private RewardState rewardState;
    private long promptsDrawn;
    private long iteration;

    GroupTrainer(GroupConfig config, RolloutParts parts) {
        parts.requireCorrected(config.algorithm().correction(), "GroupAlgorithm.withCorrection");
        parts.requireBounded(config.algorithm().aggregation());
        RandomKey key = RandomKey.of(config.seed()).child(NAME);
        this.config = config;
        this.algorithm = config.algorithm();
        this.policy = parts.policy();
        this.prompts = parts.prompts();
        this.setup = new Setup(config, DataDigest.ofPrompts(prompts));
        this.rollouts = new JudgedRollouts(parts, config.sampling(), config.guards(), config.microBatchTokens());
        LossKl kl = LossKl.of(algorithm.lossKl(), policy, parts.reference());
        this.updater = new GroupUpdater(config, policy, kl, rollouts, key);
        this.backtracking = new KlBacktracking(
                config.guards().klBudget(), config.iterations(), policy, policy, config.microBatchTokens());
        this.promptOrder = new EpochOrder(key.child("prompts"), prompts.size());
        this.rolloutKey = key.child("rollouts");
        this.rewardState = RewardState.initial(config.rewards());
    }

    /** One iteration: a rollout of several responses to each prompt, and the updates on it. */
    @Override
    public StepReport step() {
        RunEnd.requireUnfinished(this, "this run");
        JudgedRollout first = sample(0);
        JudgedRollout rollout = moreInformative(first);
        rewardState = rewardState.seeing(rollout.scores());
        double[][] rewards = shapeRewards(rollout);
        double[][] advantages = algorithm.advantages().estimate(rewards, config.groupSize());
        double[][] corrections = algorithm.correction().weights(rollout.logProbs(), rollout.samplerLogProbs());
        GroupExperience experience = new GroupExperience(
                rollout.batch(),
                rollout.logProbs(),
                rollout.referenceLogProbs(),
                Ragged.combine(advantages, corrections, (advantage, weight) -> advantage * weight));

        KlBacktracking.Outcome<GroupTally> updates = backtracking.update(
                first.batch(),
                first.samplerLogProbs(),
                first.logProbs(),
                first.referenceLogProbs(),
                rateFactor -> updater.optimise(experience, iteration, rateFactor));

        Map<String, Double> metrics = rollouts.metrics(rollout, rewards);
        rewardState.report(config.rewards(), metrics);
        metrics.put("group/informative", informativeShare(rollout));
        updates.tally().report(metrics);
        reportBudget(updates, metrics);
        metrics.put("group/correction", Ragged.mean(corrections));
        metrics.put("group/learning_rate", updates.rateFactor() * config.rate().at(iteration));
        rewardState = rewardState.next(config.rewards().kl(), rollout.kl());
        iteration++;
        return new StepReport(NAME, iteration, totalSteps(), metrics);
    }

    /** Groups in which something is better than something else, as far as they come up; the others fill the rest. */
    private JudgedRollout moreInformative(JudgedRollout first) {
        JudgedRollout rollout = first;
        for (int attempt = 1; attempt <= algorithm.resamplings(); attempt++) {
            int[] useful = informativeGroups(rollout, rewardState.seeing(rollout.scores()));
            if (useful.length * config.groupSize() >= config.batches().rollout()) {
                break;
            }
            rollout = merge(rollout, useful, sample(attempt));
        }
        return rollout;
    }

    private double informativeShare(JudgedRollout rollout) {
        return (double) informativeGroups(rollout, rewardState).length * config.groupSize() / rollout.size();
    }

    /** By what the scores count as. The KL in the reward is left aside: it differs in every group and teaches no task. */
    private int[] informativeGroups(JudgedRollout rollout, RewardState state) {
        return DynamicSampling.informativeGroups(Ragged.rowSums(countedScores(rollout, state)), config.groupSize());
    }

    /** The useful groups of what there is, then the useful of the fresh, then the fresh that are not, up to the count. */
    private JudgedRollout merge(JudgedRollout rollout, int[] useful, JudgedRollout fresh) {
        int[] better = informativeGroups(fresh, rewardState.seeing(fresh.scores()));
        int groups = config.batches().rollout() / config.groupSize();
        int[] rest = IntStream.range(0, groups)
                .filter(g -> Arrays.stream(better).noneMatch(b -> b == g))
                .toArray();
        int[] chosen = IntStream.concat(
                        Arrays.stream(useful),
                        IntStream.concat(Arrays.stream(better), Arrays.stream(rest))
                                .map(g -> groups + g))
                .limit(groups)
                .flatMap(g -> IntStream.range(g * config.groupSize(), (g + 1) * config.groupSize()))
                .toArray();
        return rollout.plus(fresh).select(chosen);
    }

    private JudgedRollout sample(int attempt) {
        int count = config.batches().rollout() / config.groupSize();
        List<Prompt> repeated = Arrays.stream(promptOrder.take(promptsDrawn, count))
                .mapToObj(prompts::get)
                .flatMap(prompt -> Collections.nCopies(config.groupSize(), prompt).stream())
                .toList();
        promptsDrawn += count;
        return rollouts.sample(
                repeated,
                JudgedRollouts.Scorer.of(algorithm.correction()),
                iteration,
                rolloutKey.child(iteration).child(attempt).bits());
    }

    /** −β·KL per token, and the score, punished for its length. */
    private double[][] shapeRewards(JudgedRollout rollout) {
        return RewardShaping.perToken(countedScores(rollout, rewardState), rollout.kl(), rewardState.klCoefficient());
    }

    /** Scores after scaling, limits, the rule for responses that did not stop, and that for those that are too long. */
    private double[][] countedScores(JudgedRollout rollout, RewardState state) {
        double[][] counted = config.rewards().counted(rollout.tokenScores(), rollout.stopped(), state.moments());
        return algorithm.overlong() == null ? counted : algorithm.overlong().apply(counted);
    }

    /** Updates that were undone are none. */
    private static void reportBudget(KlBacktracking.Outcome<GroupTally> outcome, Map<String, Double> metrics) {
        outcome.report(metrics);
        if (outcome.rateFactor() == 0) {
            metrics.put("group/updates", 0.0);
        }
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
            Map<String, Number> numbers = rewardState.numbers();
            numbers.put(PROMPTS_DRAWN, promptsDrawn);
            TrainerState.write(fresh, NAME, iteration, setup, numbers);
        });
    }

    @Override
    public void restore(Path directory) throws IOException {
        Checkpoints.verify(directory);
        TrainerState state = TrainerState.read(directory).requireStage(NAME).requireSameConfig(setup);
        RewardState savedRewards = RewardState.of(state);
        long savedPrompts = state.integer(PROMPTS_DRAWN);
        policy.restoreState(directory.resolve(POLICY_DIRECTORY));
        rewardState = savedRewards;
        promptsDrawn = savedPrompts;
        iteration = state.stepsDone();
    }

    /** Closes nothing: the models are the caller's. */
    @Override
    public void close() {}

    /** Begins a trainer: its parts are named one by one. */
    public static GroupTrainerBuilder builder() {
        return new GroupTrainerBuilder();
    }
}
