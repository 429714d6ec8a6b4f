package io.github.rlhf4j.ppo.control;

import io.github.rlhf4j.core.random.RandomKey;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** One environment of a run, played on and on, episode after episode. */
final class Player {

    private final Environment environment;
    private final RandomKey key;
    private final List<Integer> actions = new ArrayList<>();
    private double[] observation;
    private double episodeReturn;
    private long episode;

    /** Begins the first episode; each has its own child of the key. */
    Player(Environment environment, RandomKey key) {
        this.environment = environment;
        this.key = key;
        this.observation = environment.reset(key.child(0));
    }

    /** What the policy sees next. */
    double[] observation() {
        return observation;
    }

    /** Sum of the rewards of the episode under way, or of the one that has ended and was not left yet. */
    double episodeReturn() {
        return episodeReturn;
    }

    Transition step(int action) {
        Transition transition = environment.step(action);
        actions.add(action);
        observation = transition.observation();
        episodeReturn += transition.reward();
        return transition;
    }

    /** Leaves an episode that has ended. */
    void nextEpisode() {
        begin(episode + 1);
    }

    private void begin(long number) {
        episode = number;
        episodeReturn = 0;
        actions.clear();
        observation = environment.reset(key.child(number));
    }

    /** Writes where the episode is: its number and the actions so far, from which all else follows. */
    void save(DataOutputStream out) throws IOException {
        out.writeLong(episode);
        out.writeInt(actions.size());
        for (int action : actions) {
            out.writeInt(action);
        }
    }

    /** Plays what was saved again. */
    void restore(DataInputStream in) throws IOException {
        begin(in.readLong());
        for (int left = in.readInt(); left > 0; left--) {
            step(in.readInt());
        }
    }
}
