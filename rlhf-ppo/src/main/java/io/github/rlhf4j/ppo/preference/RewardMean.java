package io.github.rlhf4j.ppo.preference;

import io.github.rlhf4j.core.training.TrainerState;
import io.github.rlhf4j.ppo.preference.math.PreferenceStatistics;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The mean implicit reward of all responses that a run has learned from, chosen and rejected alike, each at the time of its
 * update.
 *
 * @param sum reward units
 * @param count responses
 */
record RewardMean(double sum, long count) {

    static final RewardMean NONE = new RewardMean(0, 0);

    private static final String SUM = "implicitRewardSum";
    private static final String COUNT = "implicitRewards";

    RewardMean plus(PreferenceStatistics batch) {
        return new RewardMean(
                sum + batch.chosenRewardSum() + batch.rejectedRewardSum(), count + batch.chosen() + batch.rejected());
    }

    /** 0 before the first batch, where all rewards of a policy that is its own reference are. */
    double value() {
        return count == 0 ? 0 : sum / count;
    }

    /** What a checkpoint keeps. */
    Map<String, Number> numbers() {
        Map<String, Number> numbers = new LinkedHashMap<>();
        numbers.put(SUM, sum);
        numbers.put(COUNT, count);
        return numbers;
    }

    static RewardMean of(TrainerState saved) throws IOException {
        return new RewardMean(saved.number(SUM), saved.integer(COUNT));
    }
}
