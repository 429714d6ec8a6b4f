package io.github.rlhf4j.ppo.control;

import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.core.training.Checkpoints;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.core.training.Trainer;
import io.github.rlhf4j.core.training.TrainerState;
import io.github.rlhf4j.ppo.internal.RunEnd;
import io.github.rlhf4j.ppo.math.ExplainedVariance;
import io.github.rlhf4j.ppo.math.GeneralizedAdvantages;
import io.github.rlhf4j.ppo.math.RatioStatistics;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * Proximal policy optimisation of a control task (Schulman et al. 2017, Algorithm 1): N environments are played for T steps,
 * then K epochs of minibatches of the steps are learned from, again and again.
 *
 * <p>Policy and value function are networks of their own, two hidden layers of 64 with tanh (Schulman et al. 2017, §6.1),
 * in double, so that a run is a function of its configuration alone.
 */
public final class ControlTrainer implements Trainer {

    private static final String NAME = "control";
    private static final String PLAYERS = "players.bin";
    private static final int HIDDEN = 64;

    /** Nearly the same probability for each action at the start (Huang et al. 2022, detail 2). */
    private static final double POLICY_GAIN = 0.01;

    private final ControlConfig config;
    private final MlpModel policyModel;
    private final MlpModel valueModel;
    private final ControlPolicy policy;
    private final List<Player> players;
    private final ControlUpdater updater;
    private final RandomKey actionKey;
    private long iteration;

    /**
     * A trainer that has not begun.
     *
     * @param environments gives a new environment at each call, all of one task
     */
    public ControlTrainer(ControlConfig config, Supplier<? extends Environment> environments) {
        RandomKey key = RandomKey.of(config.seed()).child(NAME);
        Environment task = environments.get();
        RandomKey start = key.child("parameters");
        this.config = config;
        this.policyModel = model(start.child("policy"), POLICY_GAIN, task.observationSize(), task.actionCount());
        this.valueModel = model(start.child("value"), 1, task.observationSize(), 1);
        this.policy = new ControlPolicy(policyModel.mlp());
        this.players = IntStream.range(0, config.environments())
                .mapToObj(n ->
                        new Player(environments.get(), key.child("episodes").child(n)))
                .toList();
        this.updater = new ControlUpdater(config, policyModel, valueModel, key.child("minibatches"));
        this.actionKey = key.child("actions");
    }

    private MlpModel model(RandomKey key, double outputGain, int inputs, int outputs) {
        return new MlpModel(Mlp.orthogonal(key, outputGain, inputs, HIDDEN, HIDDEN, outputs), config.gradientLimit());
    }

    /** One iteration: a rollout, and the updates on it. */
    @Override
    public StepReport step() {
        RunEnd.requireUnfinished(this, "this control run");
        ControlRollout rollout =
                ControlRollout.play(players, policy, valueModel.mlp(), config.horizon(), actionKey.child(iteration));
        GeneralizedAdvantages estimate = GeneralizedAdvantages.estimate(
                rollout.rewards(),
                rollout.values(),
                rollout.lastValues(),
                config.advantages().gamma(),
                config.advantages().lambda());
        double[][] advantages = config.advantages().whitened(estimate.advantages());
        ControlExperience experience = ControlExperience.of(rollout, advantages, estimate.returns());

        ControlTally updates = updater.optimise(experience, iteration);

        double explained = ExplainedVariance.of(rollout.values(), estimate.returns());
        Map<String, Double> metrics = metrics(rollout, updates, explained);
        iteration++;
        return new StepReport(NAME, iteration, totalSteps(), metrics);
    }

    private Map<String, Double> metrics(ControlRollout rollout, ControlTally updates, double explainedVariance) {
        Map<String, Double> metrics = new LinkedHashMap<>();
        RatioStatistics statistics = updates.statistics();
        rollout.returns().stream().mapToDouble(r -> r).average().ifPresent(mean -> metrics.put("rollout/return", mean));
        metrics.put("rollout/episodes", (double) rollout.returns().size());
        metrics.put("objective/entropy", updates.entropy());
        metrics.put("ppo/policy_loss", updates.policyLoss());
        metrics.put("ppo/value_loss", updates.valueLoss());
        metrics.put("ppo/approx_kl", statistics.approximateKl());
        metrics.put("ppo/clip_fraction", statistics.clipFraction());
        metrics.put("ppo/explained_variance", explainedVariance);
        metrics.put("ppo/gradient_norm", updates.gradientNorm());
        metrics.put("ppo/learning_rate", config.rate().at(iteration));
        return metrics;
    }

    /** The policy that is trained, as it is now. */
    public ControlPolicy policy() {
        return policy;
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
            policyModel.saveState(Files.createDirectory(fresh.resolve("policy")));
            valueModel.saveState(Files.createDirectory(fresh.resolve("value")));
            try (DataOutputStream out = new DataOutputStream(Files.newOutputStream(fresh.resolve(PLAYERS)))) {
                for (Player player : players) {
                    player.save(out);
                }
            }
            TrainerState.write(fresh, NAME, iteration, config);
        });
    }

    @Override
    public void restore(Path directory) throws IOException {
        Checkpoints.verify(directory);
        TrainerState state = TrainerState.read(directory).requireStage(NAME).requireSameConfig(config);
        policyModel.restoreState(directory.resolve("policy"));
        valueModel.restoreState(directory.resolve("value"));
        try (DataInputStream in = new DataInputStream(Files.newInputStream(directory.resolve(PLAYERS)))) {
            for (Player player : players) {
                player.restore(in);
            }
        }
        iteration = state.stepsDone();
    }

    /** Closes nothing. */
    @Override
    public void close() {}
}
