package io.github.rlhf4j.testkit;

import static io.github.rlhf4j.testkit.Broken.assertFails;

import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.core.training.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each test of the trainers' contract fails on a trainer that breaks its promise, and says which. */
class BrokenTrainerTest {

    @TempDir
    Path directory;

    private int directories;

    private Path newDirectory() {
        return directory.resolve("test" + directories++);
    }

    /** Four steps whose metric is their square; each part replaceable by a broken one. */
    private static class Counter implements Trainer {

        long steps;

        @Override
        public String name() {
            return "counter";
        }

        @Override
        public long stepsDone() {
            return steps;
        }

        @Override
        public long totalSteps() {
            return 4;
        }

        @Override
        public StepReport step() {
            if (finished()) {
                throw new IllegalStateException("no step is left");
            }
            steps++;
            return new StepReport(name(), steps, totalSteps(), Map.of("square", metric()));
        }

        double metric() {
            return steps * steps;
        }

        /** The steps as text, and that text again, so that an altered byte shows. */
        @Override
        public void save(Path to) throws IOException {
            Files.createDirectories(to);
            Files.writeString(to.resolve("steps"), steps + "=" + steps);
        }

        @Override
        public void restore(Path from) throws IOException {
            String[] saved = Files.readString(from.resolve("steps")).split("=");
            if (saved.length != 2 || !saved[0].equals(saved[1])) {
                throw new IOException(from + " is torn");
            }
            steps = Long.parseLong(saved[0]);
        }

        @Override
        public void close() {}
    }

    private TrainerContract trainer(Supplier<Trainer> trainers) throws IOException {
        TrainerContract contract = new TrainerContract() {
            @Override
            protected Trainer trainer() {
                return trainers.get();
            }
        };
        contract.directory = Files.createDirectory(newDirectory());
        return contract;
    }

    /** What is broken below is all that is. */
    @Test
    void theTrainerThatIsBrokenBelowIsWhole() throws IOException {
        trainer(Counter::new).stepsAreCountedToTheEnd();
        trainer(Counter::new).theSameRunHasTheSameMetrics();
        trainer(Counter::new).aResumedRunContinuesToTheSameBits();
        trainer(Counter::new).aCheckpointReplacesTheOneBefore();
        trainer(Counter::new).aMissingCheckpointIsRefused();
        trainer(Counter::new).aTornCheckpointIsRefused();
    }

    @Test
    void trainers() throws IOException {
        assertFails(
                trainer(() -> new Counter() {
                    @Override
                    public StepReport step() {
                        return finished() ? new StepReport(name(), steps, 4, Map.of()) : super.step();
                    }
                }),
                TrainerContract::stepsAreCountedToTheEnd,
                "a step after the last must be refused");
        assertFails(
                trainer(() -> new Counter() {
                    @Override
                    public StepReport step() {
                        return new StepReport(name(), steps, 4, super.step().metrics());
                    }
                }),
                TrainerContract::stepsAreCountedToTheEnd,
                "number the steps from 1");
        long[] shared = {0};
        assertFails(
                trainer(() -> new Counter() {
                    @Override
                    double metric() {
                        return shared[0]++;
                    }
                }),
                TrainerContract::theSameRunHasTheSameMetrics,
                "must be the same run");
        assertFails(
                trainer(() -> new Counter() {
                    private double sum;

                    @Override
                    double metric() {
                        return sum += steps; // not in the checkpoint
                    }
                }),
                TrainerContract::aResumedRunContinuesToTheSameBits,
                "must continue to the same bits");
        assertFails(
                trainer(() -> new Counter() {
                    private int saves;

                    @Override
                    public void save(Path to) throws IOException {
                        super.save(to);
                        saves++;
                    }

                    @Override
                    double metric() {
                        return steps + saves;
                    }
                }),
                TrainerContract::aResumedRunContinuesToTheSameBits,
                "saving must not change the run");
        assertFails(
                trainer(() -> new Counter() {
                    @Override
                    public void save(Path to) throws IOException {
                        if (!Files.exists(to)) {
                            super.save(to);
                        }
                    }
                }),
                TrainerContract::aCheckpointReplacesTheOneBefore,
                "must replace the checkpoint");
        assertFails(
                trainer(() -> new Counter() {
                    @Override
                    public void restore(Path from) {}
                }),
                TrainerContract::aMissingCheckpointIsRefused,
                "a missing checkpoint must be refused");
        assertFails(
                trainer(() -> new Counter() {
                    @Override
                    public void restore(Path from) {}
                }),
                TrainerContract::aTornCheckpointIsRefused,
                "must be refused");
    }
}
