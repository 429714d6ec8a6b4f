package io.github.rlhf4j.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.ppo.control.Environment;
import io.github.rlhf4j.ppo.control.Transition;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;

/** What {@link Environment} promises, as tests. Extend it and give your environment. */
public abstract class EnvironmentContract {

    private static final int EPISODES = 5;

    /** A new environment at each call, before its first episode. */
    protected abstract Environment environment();

    /** Steps within which every episode ends, whatever the actions; override for longer ones. */
    protected int mostSteps() {
        return 10_000;
    }

    /** A step as it was when it was shown; of the first observation, which nothing was paid for, the reward is 0. */
    private record Shown(double[] observation, double reward, Transition.Outcome outcome) {

        static Shown of(double[] first) {
            return new Shown(first.clone(), 0, Transition.Outcome.GOES_ON);
        }

        static Shown of(Transition transition) {
            return new Shown(transition.observation().clone(), transition.reward(), transition.outcome());
        }

        boolean isSame(Shown other) {
            return Arrays.equals(observation, other.observation)
                    && Double.compare(reward, other.reward) == 0
                    && outcome == other.outcome;
        }

        @Override
        public String toString() {
            return Arrays.toString(observation) + ", reward " + reward + ", " + outcome;
        }
    }

    /** An episode under way, with actions that follow from its key. */
    private static final class Episode {

        private final Environment environment;
        private final IntUnaryOperator actions;
        private final List<Shown> shown = new ArrayList<>();
        private double[] latest;
        private boolean ended;

        Episode(Environment environment, RandomKey key, IntUnaryOperator actions) {
            this.environment = environment;
            this.actions = actions;
            this.latest = environment.reset(key);
            shown.add(Shown.of(latest));
        }

        static Episode drawn(Environment environment, int number) {
            RandomKey key = RandomKey.of(number);
            return new Episode(
                    environment, key, t -> key.child("actions").child(t).below(environment.actionCount()));
        }

        void step() {
            Transition transition = environment.step(actions.applyAsInt(shown.size() - 1));
            latest = transition.observation();
            shown.add(Shown.of(transition));
            ended = transition.ended();
        }

        List<Shown> toTheEnd(int mostSteps) {
            while (!ended) {
                assertTrue(
                        shown.size() <= mostSteps,
                        () -> "an episode must end, whatever the actions; this one has not after " + mostSteps
                                + " steps (override mostSteps() if that is right)");
                step();
            }
            return shown;
        }
    }

    private List<Shown> play(Environment environment, int number) {
        return Episode.drawn(environment, number).toTheEnd(mostSteps());
    }

    private static void assertSame(List<Shown> expected, List<Shown> actual, String rule) {
        for (int t = 0; t < Math.min(expected.size(), actual.size()); t++) {
            int step = t;
            assertTrue(
                    expected.get(t).isSame(actual.get(t)),
                    () -> rule + "; after " + step + " actions it showed " + expected.get(step) + " and then "
                            + actual.get(step));
        }
        assertEquals(expected.size(), actual.size(), rule + "; observations");
    }

    @Test
    public void sizesAreThoseOfATaskAndStay() {
        Environment environment = environment();
        int size = environment.observationSize();
        int actions = environment.actionCount();
        assertTrue(size >= 1, () -> "an observation must have at least one number, observationSize is " + size);
        assertTrue(actions >= 2, () -> "there must be at least two actions, actionCount is " + actions);
        play(environment, 0);
        assertEquals(size, environment.observationSize(), "observationSize must stay;");
        assertEquals(actions, environment.actionCount(), "actionCount must stay;");
    }

    @Test
    public void observationsHaveTheirSizeAndAreFinite() {
        Environment environment = environment();
        for (int number = 0; number < EPISODES; number++) {
            for (Shown shown : play(environment, number)) {
                assertEquals(
                        environment.observationSize(),
                        shown.observation.length,
                        "an observation must have observationSize numbers;");
                assertTrue(
                        Arrays.stream(shown.observation).allMatch(Double::isFinite),
                        () -> "observations must be finite, got " + shown);
            }
        }
    }

    @Test
    public void anEpisodeIsAFunctionOfItsKeyAndActions() {
        String rule = "an episode must be a function of the key of reset and the actions since";
        Environment environment = environment();
        List<Shown> first = play(environment, 1);
        play(environment, 2);
        assertSame(first, play(environment, 1), rule);
        assertSame(first, play(environment(), 1), rule);
    }

    @Test
    public void anEpisodeThatIsGivenUpLeavesNothing() {
        Environment environment = environment();
        Episode.drawn(environment, 2).step();
        assertSame(
                play(environment(), 1),
                play(environment, 1),
                "reset must begin a new episode whatever became of the one before");
    }

    /** A run plays several at once. */
    @Test
    public void environmentsSideBySideDoNotMeet() {
        Episode one = Episode.drawn(environment(), 1);
        Episode other = Episode.drawn(environment(), 2);
        while (!one.ended && one.shown.size() <= mostSteps()) {
            one.step();
            if (!other.ended) {
                other.step();
            }
        }
        assertSame(
                play(environment(), 1),
                one.shown,
                "an episode must not depend on another environment that is played beside it");
    }

    /** Rollouts keep them until they have been learned from. */
    @Test
    public void anObservationStaysAsItWasShown() {
        Episode episode = Episode.drawn(environment(), 1);
        List<double[]> kept = new ArrayList<>(List.of(episode.latest));
        while (!episode.ended && kept.size() <= mostSteps()) {
            episode.step();
            kept.add(episode.latest);
        }
        for (int t = 0; t < kept.size(); t++) {
            int step = t;
            assertTrue(
                    Arrays.equals(episode.shown.get(t).observation, kept.get(t)),
                    () -> "an observation must be an array of its own, which stays as it was shown; that after " + step
                            + " actions has become " + Arrays.toString(kept.get(step)));
        }
    }

    @Test
    public void anObservationIsTheCallers() {
        Episode episode = Episode.drawn(environment(), 1);
        while (!episode.ended && episode.shown.size() <= mostSteps()) {
            Arrays.fill(episode.latest, 1e9);
            episode.step();
        }
        assertSame(
                play(environment(), 1),
                episode.shown,
                "an observation is the caller's: the environment must not read it again");
    }

    @Test
    public void everyEpisodeEnds() {
        Environment environment = environment();
        for (int number = 0; number < EPISODES; number++) {
            play(environment, number);
            for (int action : new int[] {0, environment.actionCount() - 1}) {
                new Episode(environment, RandomKey.of(number), t -> action).toTheEnd(mostSteps());
            }
        }
    }

    @Test
    public void otherActionsAreRefused() {
        Environment environment = environment();
        environment.reset(RandomKey.of(1));
        for (int action : new int[] {-1, environment.actionCount()}) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> environment.step(action),
                    "there is no action " + action + ", which must be refused;");
        }
    }

    @Test
    public void aStepOutsideAnEpisodeIsRefused() {
        Environment environment = environment();
        assertThrows(
                IllegalStateException.class,
                () -> environment.step(0),
                "a step before the first reset must be refused;");
        play(environment, 1);
        assertThrows(
                IllegalStateException.class,
                () -> environment.step(0),
                "a step after the end of the episode must be refused;");
    }
}
