package io.github.rlhf4j.ppo.math;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class UpperBoundTest {

    /** t of 4 degrees of freedom at 97.5 % is 2.776445 in the tables; s² = 2.5. */
    @Test
    void isStudentsBound() {
        assertThat(UpperBound.ofMean(new double[] {1, 2, 3, 4, 5}, 0.025))
                .isCloseTo(3 + 2.776445 * Math.sqrt(2.5 / 5), within(1e-6));
    }

    /** t of one degree of freedom at 97.5 % is 12.706205; s² = 2, so the standard error is 1. */
    @Test
    void twoValuesHaveABound() {
        assertThat(UpperBound.ofMean(new double[] {1, 3}, 0.025)).isCloseTo(2 + 12.706205, within(1e-6));
    }

    @Test
    void valuesThatDoNotDifferHaveNoMargin() {
        assertThat(UpperBound.ofMean(new double[] {2, 2, 2}, 0.01)).isEqualTo(2);
    }

    @Test
    void oneValueSaysNothing() {
        assertThat(UpperBound.ofMean(new double[] {2}, 0.01)).isEqualTo(Double.POSITIVE_INFINITY);
        assertThat(UpperBound.ofMean(new double[0], 0.01)).isEqualTo(Double.POSITIVE_INFINITY);
    }

    @Test
    void isBelowTheExpectationAsOftenAsItsLevelSays() {
        Random random = new Random(5);
        int below = 0;
        for (int i = 0; i < 20_000; i++) {
            double[] normal = new double[4];
            Arrays.setAll(normal, j -> random.nextGaussian());
            below += UpperBound.ofMean(normal, 0.05) < 0 ? 1 : 0;
        }
        assertThat(below / 20_000.0).isCloseTo(0.05, within(0.006));
    }
}
