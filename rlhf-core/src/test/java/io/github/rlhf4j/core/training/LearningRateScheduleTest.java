package io.github.rlhf4j.core.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.training.LearningRateSchedule.Constant;
import io.github.rlhf4j.core.training.LearningRateSchedule.WarmupCosine;
import io.github.rlhf4j.core.training.LearningRateSchedule.WarmupLinear;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

class LearningRateScheduleTest {

    private static void assertRate(double actual, double expected) {
        assertThat(actual).isCloseTo(expected, within(1e-15));
    }

    @Test
    void warmupCosineByHand() {
        WarmupCosine schedule = new WarmupCosine(1.0, 0.1, 4, 12);
        assertRate(schedule.at(0), 0.2);
        assertRate(schedule.at(3), 0.8);
        assertRate(schedule.at(4), 1.0);
        assertRate(schedule.at(6), 0.1 + 0.45 * (1 + Math.sqrt(0.5)));
        assertRate(schedule.at(8), 0.55);
        assertRate(schedule.at(12), 0.1);
        assertRate(schedule.at(1_000_000), 0.1);
    }

    @Test
    void warmupLinearByHand() {
        WarmupLinear schedule = new WarmupLinear(1.0, 1, 5);
        assertRate(schedule.at(0), 0.5);
        assertRate(schedule.at(1), 1.0);
        assertRate(schedule.at(3), 0.5);
        assertRate(schedule.at(5), 0);
        assertRate(schedule.at(9), 0);
    }

    @Test
    void withoutWarmupTheFirstStepHasThePeak() {
        assertRate(new WarmupCosine(0.3, 0, 0, 10).at(0), 0.3);
        assertRate(new WarmupLinear(0.3, 0, 10).at(0), 0.3);
        assertRate(new WarmupLinear(0.3, 10, 10).at(10), 0);
        assertRate(new Constant(0.3).at(123), 0.3);
    }

    /** After the warm-up no schedule rises, and none leaves [minimum, peak]. */
    @Property(tries = 200)
    void fallsAfterTheWarmup(
            @ForAll @IntRange(max = 50) int warmup,
            @ForAll @IntRange(min = 1, max = 200) int rest,
            @ForAll @LongRange(min = 0, max = 300) long step) {
        for (LearningRateSchedule schedule : new LearningRateSchedule[] {
            new WarmupCosine(1, 0.1, warmup, warmup + rest), new WarmupLinear(1, warmup, warmup + rest)
        }) {
            double now = schedule.at(warmup + step);
            assertThat(now).isBetween(0.0, 1.0);
            assertThat(schedule.at(warmup + step + 1)).isLessThanOrEqualTo(now);
        }
    }

    @Test
    void impossibleSchedulesAreRefused() {
        assertThatThrownBy(() -> new Constant(-1)).hasMessageContainingAll("rate", "≥ 0", "-1");
        assertThatThrownBy(() -> new WarmupCosine(Double.NaN, 0, 0, 1)).hasMessageContainingAll("peak", "NaN");
        assertThatThrownBy(() -> new WarmupLinear(1, 5, 4))
                .hasMessageContainingAll("warmupSteps ≤ totalSteps", "5 and 4");
    }
}
