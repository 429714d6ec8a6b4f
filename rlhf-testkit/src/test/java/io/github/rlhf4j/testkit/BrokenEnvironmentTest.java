package io.github.rlhf4j.testkit;

import static io.github.rlhf4j.testkit.Broken.assertFails;

import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.ppo.control.Environment;
import io.github.rlhf4j.ppo.control.Transition;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** Each test of the environments' contract fails on an environment that breaks its promise, and says which. */
class BrokenEnvironmentTest {

    /** A walk from a drawn place by steps of a drawn size, six of them; each part replaceable by a broken one. */
    private static class Walk implements Environment {

        RandomKey key = RandomKey.of(0);
        double place;
        int steps = 6;

        @Override
        public int observationSize() {
            return 2;
        }

        @Override
        public int actionCount() {
            return 3;
        }

        @Override
        public double[] reset(RandomKey randomness) {
            key = randomness;
            place = key.uniform();
            steps = 0;
            return observation();
        }

        @Override
        public Transition step(int action) {
            if (!underWay()) {
                throw new IllegalStateException("no episode is under way");
            }
            if (action < 0 || action >= actionCount()) {
                throw new IllegalArgumentException("there is no action " + action);
            }
            place += (action - 1) * size();
            steps++;
            return new Transition(
                    observation(), place, underWay() ? Transition.Outcome.GOES_ON : Transition.Outcome.TRUNCATED);
        }

        double size() {
            return key.child(steps).uniform();
        }

        boolean underWay() {
            return steps < 6;
        }

        double[] observation() {
            return new double[] {place, steps};
        }
    }

    private static EnvironmentContract environment(Supplier<Environment> environments) {
        return new EnvironmentContract() {
            @Override
            protected Environment environment() {
                return environments.get();
            }
        };
    }

    /** What is broken below is all that is. */
    @Test
    void theEnvironmentThatIsBrokenBelowIsWhole() {
        EnvironmentContract whole = environment(Walk::new);
        whole.sizesAreThoseOfATaskAndStay();
        whole.observationsHaveTheirSizeAndAreFinite();
        whole.anEpisodeIsAFunctionOfItsKeyAndActions();
        whole.anEpisodeThatIsGivenUpLeavesNothing();
        whole.environmentsSideBySideDoNotMeet();
        whole.anObservationStaysAsItWasShown();
        whole.anObservationIsTheCallers();
        whole.everyEpisodeEnds();
        whole.otherActionsAreRefused();
        whole.aStepOutsideAnEpisodeIsRefused();
    }

    @Test
    void sizes() {
        assertFails(
                environment(() -> new Walk() {
                    @Override
                    public int actionCount() {
                        return 1;
                    }
                }),
                EnvironmentContract::sizesAreThoseOfATaskAndStay,
                "at least two actions");
        assertFails(
                environment(() -> new Walk() {
                    @Override
                    public int observationSize() {
                        return steps == 0 ? 2 : 3;
                    }
                }),
                EnvironmentContract::observationsHaveTheirSizeAndAreFinite,
                "must have observationSize numbers");
        assertFails(
                environment(() -> new Walk() {
                    private int seen;

                    @Override
                    public int observationSize() {
                        return 2 + seen;
                    }

                    @Override
                    public double[] reset(RandomKey randomness) {
                        seen++;
                        return super.reset(randomness);
                    }
                }),
                EnvironmentContract::sizesAreThoseOfATaskAndStay,
                "observationSize must stay");
        assertFails(
                environment(() -> new Walk() {
                    @Override
                    double[] observation() {
                        return new double[] {1 / (6.0 - steps), 0};
                    }
                }),
                EnvironmentContract::observationsHaveTheirSizeAndAreFinite,
                "must be finite");
    }

    @Test
    void whatAnEpisodeDependsOn() {
        double[] shared = {0};
        assertFails(
                environment(() -> new Walk() {
                    @Override
                    double size() {
                        return shared[0]++; // of no key
                    }
                }),
                EnvironmentContract::anEpisodeIsAFunctionOfItsKeyAndActions,
                "must be a function of the key");
        assertFails(
                environment(() -> new Walk() {
                    private double way;

                    @Override
                    double size() {
                        return way += super.size(); // of earlier episodes as well
                    }
                }),
                EnvironmentContract::anEpisodeThatIsGivenUpLeavesNothing,
                "whatever became of the one before");
        double[] common = {0};
        assertFails(
                environment(() -> new Walk() {
                    @Override
                    public double[] reset(RandomKey randomness) {
                        common[0] = 0;
                        return super.reset(randomness);
                    }

                    @Override
                    double[] observation() {
                        return new double[] {common[0] += place, steps};
                    }
                }),
                EnvironmentContract::environmentsSideBySideDoNotMeet,
                "that is played beside it");
    }

    @Test
    void observations() {
        assertFails(
                environment(() -> new Walk() {
                    private final double[] reused = new double[2];

                    @Override
                    double[] observation() {
                        reused[0] = place;
                        reused[1] = steps;
                        return reused;
                    }
                }),
                EnvironmentContract::anObservationStaysAsItWasShown,
                "an array of its own");
        assertFails(
                environment(() -> new Walk() {
                    private double[] state = {0, 0};

                    @Override
                    double[] observation() {
                        state = super.observation();
                        return state;
                    }

                    @Override
                    public Transition step(int action) {
                        place = state[0];
                        return super.step(action);
                    }
                }),
                EnvironmentContract::anObservationIsTheCallers,
                "must not read it again");
    }

    @Test
    void ends() {
        assertFails(
                environment(() -> new Walk() {
                    @Override
                    boolean underWay() {
                        return place > -3; // not everybody goes there
                    }
                }),
                EnvironmentContract::everyEpisodeEnds,
                "has not after 10000 steps");
        assertFails(
                environment(() -> new Walk() {
                    @Override
                    public Transition step(int action) {
                        return super.step(Math.floorMod(action, 3));
                    }
                }),
                EnvironmentContract::otherActionsAreRefused,
                "no action -1");
        assertFails(
                environment(() -> new Walk() {
                    @Override
                    public Transition step(int action) {
                        return steps < 6
                                ? super.step(action)
                                : new Transition(observation(), 0, Transition.Outcome.TERMINATED);
                    }
                }),
                EnvironmentContract::aStepOutsideAnEpisodeIsRefused,
                "before the first reset");
        assertFails(
                environment(() -> new Walk() {
                    private boolean begun;

                    @Override
                    public double[] reset(RandomKey randomness) {
                        begun = true;
                        return super.reset(randomness);
                    }

                    @Override
                    public Transition step(int action) {
                        return begun && steps == 6
                                ? new Transition(observation(), 0, Transition.Outcome.TERMINATED)
                                : super.step(action);
                    }
                }),
                EnvironmentContract::aStepOutsideAnEpisodeIsRefused,
                "after the end of the episode");
    }
}
