package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenSequence;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What the policy said to a batch of prompts. All rows are of the policy's own tokens.
 *
 * @param trajectories one per prompt
 * @param temperature the policy's tokens were drawn at
 */
record Rollout(List<Trajectory> trajectories, double temperature) {

    /**
     * Each trajectory as listeners see it.
     *
     * @param scores one for each
     * @param kl to the reference, nats, one for each
     */
    List<RolloutSample> samples(double[] scores, double[] kl) {
        return IntStream.range(0, size())
                .mapToObj(i -> {
                    Trajectory trajectory = trajectories.get(i);
                    return new RolloutSample(
                            trajectory.exchange(),
                            scores[i],
                            kl[i],
                            trajectory.sequence().scoredCount(),
                            trajectory.stopped());
                })
                .toList();
    }

    /** Prompts and what followed, the policy's tokens scored, at the sampling temperature. */
    SequenceBatch batch() {
        return new SequenceBatch(trajectories.stream().map(Trajectory::sequence).toList(), temperature);
    }

    /** The trajectories at these indices, in this order. */
    Rollout select(int... rows) {
        return new Rollout(Arrays.stream(rows).mapToObj(trajectories::get).toList(), temperature);
    }

    /** These trajectories and then the others, which were drawn at the same temperature. */
    Rollout plus(Rollout other) {
        return new Rollout(
                Stream.concat(trajectories.stream(), other.trajectories.stream())
                        .toList(),
                temperature);
    }

    /** The tokens after each prompt. */
    List<TokenSequence> continuations() {
        return trajectories.stream().map(Trajectory::continuation).toList();
    }

    /** Prompts and what followed, as text. */
    List<Exchange> exchanges() {
        return trajectories.stream().map(Trajectory::exchange).toList();
    }

    int size() {
        return trajectories.size();
    }

    /** Number of different continuations; 1 is a policy that says the same to every prompt. */
    long distinctContinuations() {
        return trajectories.stream().map(Trajectory::continuation).distinct().count();
    }

    /** The mean of −log π over the drawn tokens, nats: an estimate of the entropy per token, at no cost. */
    double sampledEntropy() {
        return 0
                - trajectories.stream()
                        .flatMapToDouble(trajectory -> Arrays.stream(trajectory.logProbs()))
                        .average()
                        .orElse(Double.NaN);
    }

    /** Number of trajectories that ended by themselves. */
    long stoppedCount() {
        return trajectories.stream().filter(Trajectory::stopped).count();
    }

    /** Turns of the policy's per trajectory, on average. */
    double turns() {
        return trajectories.stream().mapToInt(Trajectory::turns).average().orElseThrow();
    }

    /** log π of each of the policy's tokens when it was drawn, nats. */
    double[][] logProbs() {
        return trajectories.stream().map(Trajectory::logProbs).toArray(double[][]::new);
    }

    /** Whether each trajectory ended by itself. */
    boolean[] stopped() {
        boolean[] stopped = new boolean[size()];
        for (int i = 0; i < stopped.length; i++) {
            stopped[i] = trajectories.get(i).stopped();
        }
        return stopped;
    }
}
