package io.github.rlhf4j.benchmarks;

import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.ppo.control.CartPole;
import io.github.rlhf4j.ppo.control.ControlConfig;
import io.github.rlhf4j.ppo.control.ControlTrainer;
import io.github.rlhf4j.ppo.control.Evaluation;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.Locale;

/** PPO on CartPole, with the settings of the paper: the curve of each seed, and what its policy returns in the end. */
public final class CartPoleCurves {

    /** 102,400 steps of the environment. */
    private static final int ITERATIONS = 50;

    private static final int ITERATIONS_A_LINE = 2;
    private static final int EPISODES = 100;
    private static final double SOLVED = 475;
    private static final int BAR = 50;

    private CartPoleCurves() {}

    /**
     * Runs and prints.
     *
     * @param args seeds; none are 1 to 5
     */
    public static void main(String[] args) {
        long[] seeds = args.length == 0
                ? new long[] {1, 2, 3, 4, 5}
                : Arrays.stream(args).mapToLong(Long::parseLong).toArray();
        run(ITERATIONS, seeds, System.out);
    }

    /** Whether the average return of every seed is at least 475, the mark of the task. */
    static boolean run(int iterations, long[] seeds, PrintStream out) {
        out.println(ControlConfig.of(iterations, seeds[0]));
        int solved = 0;
        for (long seed : seeds) {
            solved += run(ControlConfig.of(iterations, seed), out) ? 1 : 0;
        }
        out.printf(Locale.ROOT, "%d of %d seeds return %.0f or more%n", solved, seeds.length, SOLVED);
        return solved == seeds.length;
    }

    private static boolean run(ControlConfig config, PrintStream out) {
        out.printf(
                Locale.ROOT,
                "%nseed %d: steps, mean return of the episodes that ended since the last line%n",
                config.seed());
        long start = System.nanoTime();
        try (ControlTrainer trainer = new ControlTrainer(config, CartPole::new)) {
            while (!trainer.finished()) {
                printLine(trainer, config, out);
            }
            double seconds = (System.nanoTime() - start) / 1e9;
            double drawn = averageReturn(trainer, Evaluation.Actions.DRAWN);
            out.printf(
                    Locale.ROOT,
                    "seed %d: average return over %d episodes %.1f (actions drawn), %.1f (most likely actions); %.1f s%n",
                    config.seed(),
                    EPISODES,
                    drawn,
                    averageReturn(trainer, Evaluation.Actions.BEST),
                    seconds);
            return drawn >= SOLVED;
        }
    }

    /** Some iterations, one line. Episodes are as long as they are, so not every iteration sees the end of one. */
    private static void printLine(ControlTrainer trainer, ControlConfig config, PrintStream out) {
        double sum = 0;
        double episodes = 0;
        for (int i = 0; i < ITERATIONS_A_LINE && !trainer.finished(); i++) {
            StepReport report = trainer.step();
            double ended = report.metric("rollout/episodes");
            sum += ended == 0 ? 0 : ended * report.metric("rollout/return");
            episodes += ended;
        }
        long steps = trainer.stepsDone() * config.rolloutSteps();
        if (episodes == 0) {
            out.printf(Locale.ROOT, "%8d      –%n", steps);
            return;
        }
        double mean = sum / episodes;
        out.printf(Locale.ROOT, "%8d  %5.1f  %s%n", steps, mean, "#".repeat((int)
                        Math.round(BAR * mean / CartPole.STEP_LIMIT)));
    }

    private static double averageReturn(ControlTrainer trainer, Evaluation.Actions actions) {
        RandomKey key = RandomKey.of(2026).child("evaluation");
        return Evaluation.of(trainer.policy(), new CartPole(), actions, EPISODES, key)
                .mean();
    }
}
