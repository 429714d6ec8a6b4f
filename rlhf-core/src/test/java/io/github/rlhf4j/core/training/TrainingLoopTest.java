package io.github.rlhf4j.core.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TrainingLoopTest {

    private final List<String> calls = new ArrayList<>();

    private TrainingListener recorder(String name, long stopAt) {
        return new TrainingListener() {
            @Override
            public void onStart(Trainer trainer) {
                calls.add(name + " start " + trainer.stepsDone());
            }

            @Override
            public boolean onStep(Trainer trainer, StepReport report) {
                calls.add(name + " step " + report.step());
                return report.step() != stopAt;
            }

            @Override
            public void onEnd(Trainer trainer, RunReport report) {
                calls.add(name + " end " + report.stepsRun());
            }
        };
    }

    @Test
    void listenersAreToldInOrderAndOneCanStopTheRunForAll() {
        ScriptedTrainer trainer = new ScriptedTrainer(9);
        RunReport report = trainer.run(recorder("a", 2), recorder("b", -1));
        assertThat(calls)
                .containsExactly(
                        "a start 0", "b start 0", "a step 1", "b step 1", "a step 2", "b step 2", "a end 2", "b end 2");
        assertThat(report.finished()).isFalse();
        assertThat(report.last().metric("loss")).isEqualTo(0.5);
    }

    @Test
    void aStoppedRunGoesOnWhereItStopped() {
        ScriptedTrainer trainer = new ScriptedTrainer(5);
        trainer.run(recorder("a", 2));
        RunReport rest = trainer.run(recorder("a", -1));
        assertThat(rest.stepsRun()).isEqualTo(3);
        assertThat(rest.finished()).isTrue();
        assertThat(calls).contains("a start 2", "a end 3");
    }

    @Test
    void aFinishedTrainerDoesNothing() {
        RunReport report = new ScriptedTrainer(0).run(recorder("a", -1));
        assertThat(report.stepsRun()).isZero();
        assertThat(report.last()).isNull();
        assertThat(calls).containsExactly("a start 0", "a end 0");
    }

    @Test
    void anUnknownMetricIsAnsweredWithThoseThereAre() {
        StepReport report = new StepReport("ppo", 1, 2, Map.of("objective/kl", 0.5));
        assertThatThrownBy(() -> report.metric("kl")).hasMessageContainingAll("no metric kl", "objective/kl");
        assertThatThrownBy(() -> report.metrics().put("x", 1.0)).isInstanceOf(UnsupportedOperationException.class);
    }
}
