package io.github.rlhf4j.ppo.preference.math;

/**
 * Sums over responses of a batch, from which the means that people watch follow. Those of micro-batches add up.
 *
 * @param chosen number of chosen (or desirable) responses
 * @param rejected number of rejected (or undesirable) ones
 * @param pairs number of comparisons; 0 where responses are judged one at a time
 * @param chosenRewardSum sum of implicit rewards of the chosen
 * @param rejectedRewardSum of the rejected
 * @param chosenLogProbSum sum of log π(y | x) of the chosen, nats
 * @param rejectedLogProbSum of the rejected
 * @param correct comparisons in which the chosen response has the larger reward; equal rewards count half
 */
public record PreferenceStatistics(
        int chosen,
        int rejected,
        int pairs,
        double chosenRewardSum,
        double rejectedRewardSum,
        double chosenLogProbSum,
        double rejectedLogProbSum,
        double correct) {

    public static final PreferenceStatistics NONE = new PreferenceStatistics(0, 0, 0, 0, 0, 0, 0, 0);

    static PreferenceStatistics ofPair(Pair pair, ImplicitReward reward) {
        double chosen = reward.of(pair.chosen());
        double rejected = reward.of(pair.rejected());
        double correct = chosen > rejected ? 1 : chosen == rejected ? 0.5 : 0;
        return new PreferenceStatistics(
                1,
                1,
                1,
                chosen,
                rejected,
                pair.chosen().logProb(),
                pair.rejected().logProb(),
                correct);
    }

    static PreferenceStatistics ofJudged(ResponseLogProb response, boolean desirable, ImplicitReward reward) {
        return desirable
                ? new PreferenceStatistics(1, 0, 0, reward.of(response), 0, response.logProb(), 0, 0)
                : new PreferenceStatistics(0, 1, 0, 0, reward.of(response), 0, response.logProb(), 0);
    }

    public PreferenceStatistics plus(PreferenceStatistics other) {
        return new PreferenceStatistics(
                chosen + other.chosen,
                rejected + other.rejected,
                pairs + other.pairs,
                chosenRewardSum + other.chosenRewardSum,
                rejectedRewardSum + other.rejectedRewardSum,
                chosenLogProbSum + other.chosenLogProbSum,
                rejectedLogProbSum + other.rejectedLogProbSum,
                correct + other.correct);
    }

    /** Mean implicit reward of the chosen responses; NaN when there is none. */
    public double chosenReward() {
        return chosenRewardSum / chosen;
    }

    /** Mean implicit reward of the rejected responses; NaN when there is none. */
    public double rejectedReward() {
        return rejectedRewardSum / rejected;
    }

    /** Difference of the two means, for pairs the mean of r(y_w) − r(y_l); NaN when either is missing. */
    public double margin() {
        return chosenReward() - rejectedReward();
    }

    /** Mean log π(y | x) of the chosen responses, nats per response; NaN when there is none. */
    public double chosenLogProb() {
        return chosenLogProbSum / chosen;
    }

    /** Mean log π(y | x) of the rejected responses, nats per response; NaN when there is none. */
    public double rejectedLogProb() {
        return rejectedLogProbSum / rejected;
    }

    /** Share of comparisons in which the chosen response has the larger reward, in [0, 1]; NaN when there is none. */
    public double accuracy() {
        return correct / pairs;
    }
}
