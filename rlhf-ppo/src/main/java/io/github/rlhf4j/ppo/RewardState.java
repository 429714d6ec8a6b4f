package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.training.TrainerState;
import io.github.rlhf4j.ppo.math.KlController;
import io.github.rlhf4j.ppo.math.RunningMoments;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What moves of the way scores become rewards, from rollout to rollout; {@link RewardSettings} are what does not.
 *
 * @param klCoefficient β, reward units per nat
 * @param moments of the scores of all rollouts so far, one per response, as the reward model gave them
 */
public record RewardState(double klCoefficient, RunningMoments moments) {

    private static final String KL_COEFFICIENT = "klCoefficient";
    private static final String SCORES = "scoresSeen";
    private static final String SCORE_MEAN = "scoreMean";
    private static final String SCORE_SQUARES = "scoreSquares";

    /** Before the first rollout. */
    public static RewardState initial(RewardSettings settings) {
        return new RewardState(settings.kl().initialCoefficient(), RunningMoments.NONE);
    }

    /** With a rollout's scores among those seen. */
    public RewardState seeing(double[] scores) {
        return new RewardState(klCoefficient, moments.plus(scores));
    }

    /** With the coefficient of the next rollout, given the K1 of this one's tokens, nats. */
    public RewardState next(KlController controller, double[][] kl) {
        return new RewardState(controller.next(klCoefficient, controller.unit().of(kl), kl.length), moments);
    }

    /** What rewards are made with now, by path. */
    public void report(RewardSettings settings, Map<String, Double> metrics) {
        metrics.put("objective/kl_coefficient", klCoefficient);
        if (settings.scaling() != RewardSettings.Scaling.NONE) {
            metrics.put("objective/score_scale", moments.scale());
        }
    }

    /** The numbers that a checkpoint keeps, by name. */
    public Map<String, Number> numbers() {
        Map<String, Number> numbers = new LinkedHashMap<>();
        numbers.put(KL_COEFFICIENT, klCoefficient);
        numbers.put(SCORES, moments.count());
        numbers.put(SCORE_MEAN, moments.mean());
        numbers.put(SCORE_SQUARES, moments.squares());
        return numbers;
    }

    /**
     * What {@link #numbers} were.
     *
     * @throws IOException when one is missing
     */
    public static RewardState of(TrainerState saved) throws IOException {
        return new RewardState(
                saved.number(KL_COEFFICIENT),
                new RunningMoments(saved.integer(SCORES), saved.number(SCORE_MEAN), saved.number(SCORE_SQUARES)));
    }
}
