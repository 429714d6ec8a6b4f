package io.github.rlhf4j.reward;

import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.RewardModel;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Several reward models asked as one. Averaged after each is normalised on its own in Christiano et al. 2017 (§2.2.3);
 * taken pessimistically against over-optimisation in Coste et al. 2023. What they disagree on is where a further
 * comparison teaches most (Christiano et al. 2017, §2.2.4).
 *
 * <p>The members must score in a common unit: normalise each ({@link ScoreNormalization}) before joining them.
 */
public final class RewardEnsemble implements RewardModel {

    /** How the members' scores of one response become one. Closed: the combinations of the papers above. */
    public sealed interface Combination {

        /** One score from one per member. */
        double combine(double[] memberScores);
    }

    /** The average. */
    public record Mean() implements Combination {

        @Override
        public double combine(double[] memberScores) {
            return mean(memberScores);
        }
    }

    /** The most pessimistic member: worst-case optimisation. */
    public record Minimum() implements Combination {

        @Override
        public double combine(double[] memberScores) {
            return Arrays.stream(memberScores).min().orElseThrow();
        }
    }

    /**
     * mean − k·standard deviation (divisor n): a lower confidence bound, in score units.
     *
     * @param k ≥ 0; at 0 the mean
     */
    public record LowerBound(double k) implements Combination {

        public LowerBound {
            if (!(k >= 0) || Double.isInfinite(k)) {
                throw new IllegalArgumentException("k of a lower bound must be ≥ 0 and finite, got " + k);
            }
        }

        @Override
        public double combine(double[] memberScores) {
            return mean(memberScores) - k * standardDeviation(memberScores);
        }
    }

    private final List<RewardModel> members;
    private final Combination combination;

    /** At least one member. */
    public RewardEnsemble(List<? extends RewardModel> members, Combination combination) {
        this.members = List.copyOf(members);
        this.combination = combination;
        if (this.members.isEmpty()) {
            throw new IllegalArgumentException("an ensemble needs at least one reward model");
        }
    }

    @Override
    public double[] score(List<Exchange> batch) {
        return Arrays.stream(memberScores(batch))
                .mapToDouble(combination::combine)
                .toArray();
    }

    /** Standard deviation (divisor n) of the members' scores of each exchange; ≥ 0, score units. */
    public double[] disagreement(List<Exchange> batch) {
        return Arrays.stream(memberScores(batch))
                .mapToDouble(RewardEnsemble::standardDeviation)
                .toArray();
    }

    /** {@code [exchange][member]}. */
    public double[][] memberScores(List<Exchange> batch) {
        double[][] byMember = members.stream()
                .map(member -> RewardModels.score(member, batch))
                .toArray(double[][]::new);
        return IntStream.range(0, batch.size())
                .mapToObj(
                        i -> Arrays.stream(byMember).mapToDouble(row -> row[i]).toArray())
                .toArray(double[][]::new);
    }

    private static double mean(double[] scores) {
        return Arrays.stream(scores).average().orElseThrow();
    }

    private static double standardDeviation(double[] scores) {
        double mean = mean(scores);
        return Math.sqrt(Arrays.stream(scores)
                .map(s -> (s - mean) * (s - mean))
                .average()
                .orElseThrow());
    }
}
