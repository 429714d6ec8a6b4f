package io.github.rlhf4j.core.math;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;

class LogisticTest {

    /** As the definitions are written, where nothing overflows or cancels. */
    @Property(tries = 300)
    void inTheMiddleItIsTheDefinition(@ForAll @DoubleRange(min = -5, max = 5) double x) {
        double sigmoid = 1 / (1 + Math.exp(-x));
        assertThat(Logistic.sigmoid(x)).isCloseTo(sigmoid, within(1e-15));
        assertThat(Logistic.softplus(x)).isCloseTo(Math.log(1 + Math.exp(x)), within(1e-14));
        assertThat(Logistic.logSigmoid(x)).isCloseTo(Math.log(sigmoid), within(1e-14));
        assertThat(Logistic.sigmoidSlope(x)).isCloseTo(sigmoid * (1 - sigmoid), within(1e-15));
        if (x < -0.1) {
            assertThat(Logistic.log1mExp(x)).isCloseTo(Math.log(1 - Math.exp(x)), within(1e-14));
        }
    }

    @Example
    void farOutNothingOverflows() {
        assertThat(Logistic.sigmoid(-800)).isZero();
        assertThat(Logistic.sigmoid(800)).isOne();
        assertThat(Logistic.sigmoid(-720)).isEqualTo(Math.exp(-720)).isPositive();
        assertThat(Logistic.softplus(800)).isEqualTo(800);
        assertThat(Logistic.logSigmoid(-800)).isEqualTo(-800);
        assertThat(Logistic.sigmoidSlope(800)).isZero();
    }

    /** To a relative 1e-15, where the definition has lost all digits: the first terms of the series. */
    @Example
    void smallResultsKeepTheirDigits() {
        assertThat(Logistic.sigmoid(-40) / Math.exp(-40)).isCloseTo(1, within(1e-15));
        assertThat(Logistic.softplus(-40) / Math.exp(-40)).isCloseTo(1, within(1e-15));
        assertThat(Logistic.sigmoidSlope(40) / Math.exp(-40)).isCloseTo(1, within(1e-15));
        assertThat(Logistic.log1mExp(-40) / -Math.exp(-40)).isCloseTo(1, within(1e-15));
        assertThat(Logistic.log1mExp(-1e-18)).isEqualTo(Math.log(1e-18));
    }
}
