package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.TrainablePolicy;
import io.github.rlhf4j.core.random.EpochOrder;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.core.training.Checkpoints;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.core.training.Trainer;
import io.github.rlhf4j.core.training.TrainerState;
import io.github.rlhf4j.ppo.internal.LossKl;
import io.github.rlhf4j.ppo.internal.RunEnd;
import io.github.rlhf4j.ppo.math.KlEstimator;
import io.github.rlhf4j.ppo.math.Ragged;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * Proximal policy optimisation of a language model against a reward model, on a KL leash to a reference policy
 * (Ziegler et al. 2019; Ouyang et al. 2022, "InstructGPT", §3.5); or, in dialogues of several turns, against what a {@link
 * DialogueEnvironment} pays.
 *
 * <p>The models belong to the caller: the trainer moves policy and critic, only ever scores with the reference, and
 * closes none of them. All randomness follows from the seed of the configuration.
 *
 * <p>Each run checks what must hold: see {@link GuardSettings}. Metrics are by sequence (KL, score, reward) or by token
 * (entropy, losses, ratios, approximate KL).
 */
public final class PpoTrainer implements Trainer {

    private static final String NAME = "ppo";

    private final PpoConfig config;
    private final PpoSetup setup;
    private final Policy sampler;
    private final List<Prompt> prompts;
    private final RolloutListener listener;
    private final Learner learner;
    private final Task task;
    private final Judges judges;
    private final Guards guards;
    private final PpoUpdater updater;
    private final KlBacktracking backtracking;
    private final EpochOrder promptOrder;
    private final RandomKey rolloutKey;
    private RewardState rewardState;
    private long iteration;

    PpoTrainer(PpoParts parts) {
        RandomKey key = RandomKey.of(parts.config().seed()).child(NAME);
        this.config = parts.config();
        this.setup = PpoSetup.of(parts);
        RolloutParts rollouts = parts.rollouts();
        TrainablePolicy policy = rollouts.policy();
        this.sampler = rollouts.sampler();
        this.prompts = rollouts.prompts();
        this.listener = rollouts.listener();
        LossKl kl = LossKl.of(config.losses().kl(), policy, rollouts.reference());
        this.learner = Learner.of(policy, parts.critic(), kl);
        this.task = rollouts.task();
        this.judges = new Judges(
                policy,
                JudgedRollouts.Scorer.of(config.advantages().correction()),
                rollouts.reference(),
                learner,
                config.microBatchTokens());
        this.guards = new Guards(config.guards(), config.sampling());
        this.updater = new PpoUpdater(config, policy, learner, kl, parts.pretraining(), guards, key);
        this.backtracking = new KlBacktracking(
                config.guards().klBudget(), config.iterations(), policy, learner, config.microBatchTokens());
        this.promptOrder = new EpochOrder(key.child("prompts"), prompts.size());
        this.rolloutKey = key.child("rollouts");
        this.rewardState = RewardState.initial(config.rewards());
    }

    /** One iteration: a rollout, and the updates on it. */
    @Override
    public StepReport step() {
        RunEnd.requireUnfinished(this, "this PPO run");
        Rollout rollout;
        Judgement judgement;
        try (Task.Play play = task.begin(config.batches().rollout())) {
            rollout = play.sample(sampler, nextPrompts(), config.sampling(), rolloutSeed());
            guards.warnOfCollapse(rollout, iteration + 1);
            judgement = judges.judge(rollout, play);
        }
        guards.requirePossibleKl(KlEstimator.K1.values(rollout.logProbs(), judgement.referenceLogProbs()));
        double[][] kl = judgement.kl();
        tellListener(rollout, judgement.scores(), kl);

        rewardState = rewardState.seeing(judgement.scores());
        Credit credit = Credit.of(config.rewards(), config.advantages(), rewardState, judgement, rollout.stopped());
        double[][] corrections = config.advantages().correction().weights(judgement.logProbs(), rollout.logProbs());
        Experience experience = experience(rollout, judgement, credit, corrections);
        KlBacktracking.Outcome<UpdateTally> updates = update(rollout, experience);

        PpoMetrics metrics = new PpoMetrics()
                .objective(judgement, credit.rewards())
                .shaping(rewardState, config.rewards())
                .rollout(rollout, task)
                .correction(corrections, config.advantages())
                .updates(updates.tally(), experience)
                .kl(updates.tally(), config.losses())
                .budget(updates)
                .pretraining(updates.tally(), config.losses(), iteration)
                .rates(config, iteration, updates.rateFactor());
        if (!warmsUp()) {
            rewardState = rewardState.next(config.rewards().kl(), kl);
        }
        iteration++;
        return new StepReport(NAME, iteration, totalSteps(), metrics.asMap());
    }

    private List<Prompt> nextPrompts() {
        int count = config.batches().rollout();
        return Arrays.stream(promptOrder.take(iteration * count, count))
                .mapToObj(prompts::get)
                .toList();
    }

    private long rolloutSeed() {
        return rolloutKey.child(iteration).bits();
    }

    private static Experience experience(Rollout rollout, Judgement judgement, Credit credit, double[][] corrections) {
        double[][] advantages =
                Ragged.combine(credit.advantages(), corrections, (advantage, weight) -> advantage * weight);
        return new Experience(
                rollout.batch(),
                judgement.logProbs(),
                judgement.referenceLogProbs(),
                judgement.values(),
                advantages,
                credit.returns());
    }

    /** While the value function warms up the policy goes nowhere, so there is nothing to keep within a budget. */
    private KlBacktracking.Outcome<UpdateTally> update(Rollout rollout, Experience experience) {
        if (warmsUp()) {
            return new KlBacktracking.Outcome<>(
                    updater.optimise(experience, iteration, 1), 1, 0, Double.NaN, Double.NaN);
        }
        return backtracking.update(
                rollout.batch(),
                rollout.logProbs(),
                experience.logProbs(),
                experience.referenceLogProbs(),
                rateFactor -> updater.optimise(experience, iteration, rateFactor));
    }

    private boolean warmsUp() {
        return config.losses().warmsUp(iteration);
    }

    private void tellListener(Rollout rollout, double[] scores, double[][] kl) {
        listener.onRollout(iteration + 1, rollout.samples(scores, Ragged.rowSums(kl)));
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

    /** The KL coefficient β of the next iteration. */
    public double klCoefficient() {
        return rewardState.klCoefficient();
    }

    @Override
    public void save(Path directory) throws IOException {
        Checkpoints.write(directory, fresh -> {
            learner.saveState(fresh);
            TrainerState.write(fresh, NAME, iteration, setup, rewardState.numbers());
        });
    }

    @Override
    public void restore(Path directory) throws IOException {
        Checkpoints.verify(directory);
        TrainerState state = TrainerState.read(directory).requireStage(NAME).requireSameConfig(setup);
        RewardState savedRewards = RewardState.of(state);
        learner.restoreState(directory);
        rewardState = savedRewards;
        iteration = state.stepsDone();
    }

    /** Closes nothing: the models are the caller's. */
    @Override
    public void close() {}

    /** Begins a trainer: its parts are named one by one. */
    public static PpoTrainerBuilder builder() {
        return new PpoTrainerBuilder();
    }
}
