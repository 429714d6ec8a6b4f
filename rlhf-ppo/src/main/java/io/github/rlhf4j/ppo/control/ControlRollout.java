package io.github.rlhf4j.ppo.control;

import io.github.rlhf4j.core.random.RandomKey;
import java.util.ArrayList;
import java.util.List;

/**
 * What N environments did in T steps, cut where episodes end: ragged rows, of which none runs over the end of an episode.
 *
 * @param segments in the order in which they ended
 * @param returns of the episodes that ended, reward units
 */
record ControlRollout(List<Segment> segments, List<Double> returns) {

    /**
     * Plays T steps of each environment.
     *
     * @param horizon T
     * @param key of the actions drawn
     */
    static ControlRollout play(List<Player> players, ControlPolicy policy, Mlp values, int horizon, RandomKey key) {
        List<Segment> segments = new ArrayList<>();
        List<Double> returns = new ArrayList<>();
        List<Segment> open =
                new ArrayList<>(players.stream().map(p -> new Segment()).toList());
        for (int t = 0; t < horizon; t++) {
            double[][] observations = observations(players);
            double[][] logProbs = policy.logProbs(observations);
            double[][] v = values.output(observations);
            for (int n = 0; n < players.size(); n++) {
                Player player = players.get(n);
                int action =
                        ControlPolicy.drawn(logProbs[n], key.child(t).child(n).uniform());
                Transition transition = player.step(action);
                open.get(n)
                        .add(new Segment.Step(
                                observations[n], action, logProbs[n][action], v[n][0], transition.reward()));
                if (transition.ended()) {
                    segments.add(open.set(n, new Segment()).endedAt(lastValue(transition, values)));
                    returns.add(player.episodeReturn());
                    player.nextEpisode();
                }
            }
        }
        closeOpen(open, values.output(observations(players)), segments);
        return new ControlRollout(segments, returns);
    }

    /** Nothing follows where the task is over; where only time was up, the value function says what would. */
    private static double lastValue(Transition transition, Mlp values) {
        return transition.outcome() == Transition.Outcome.TERMINATED
                ? 0
                : values.output(new double[][] {transition.observation()})[0][0];
    }

    /** Episodes go on beyond the rollout: the value function stands for what is to come. */
    private static void closeOpen(List<Segment> open, double[][] lastValues, List<Segment> segments) {
        for (int n = 0; n < open.size(); n++) {
            if (!open.get(n).isEmpty()) {
                segments.add(open.get(n).endedAt(lastValues[n][0]));
            }
        }
    }

    private static double[][] observations(List<Player> players) {
        return players.stream().map(Player::observation).toArray(double[][]::new);
    }

    double[][] rewards() {
        return segments.stream().map(Segment::rewards).toArray(double[][]::new);
    }

    double[][] values() {
        return segments.stream().map(Segment::values).toArray(double[][]::new);
    }

    double[] lastValues() {
        return segments.stream().mapToDouble(Segment::lastValue).toArray();
    }
}
