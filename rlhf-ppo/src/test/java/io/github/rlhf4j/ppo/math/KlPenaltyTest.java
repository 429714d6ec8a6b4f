package io.github.rlhf4j.ppo.math;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.ppo.Bounds;
import org.junit.jupiter.api.Test;

class KlPenaltyTest {

    private static final double[][] LOG_PROBS = {{-1, -2}, {-3}};
    private static final double[][] REFERENCE = {{-2, -1.5}, {-5}};

    /** d = −1, 0.5, −2: K2 is d²/2 = 0.5, 0.125, 2 with the slope −d; rows weigh 3·1 and 3·4. */
    @Test
    void weighsEachRowsEstimatesAndTheirSlopes() {
        TokenLoss k2 = new KlPenalty.Estimated(KlEstimator.K2, 3).evaluate(LOG_PROBS, REFERENCE, new double[] {1, 4});
        assertThat(k2.loss()).isCloseTo(3 * 0.625 + 12 * 2, within(1e-12));
        assertThat(k2.gradient()).isDeepEqualTo(new double[][] {{3, -1.5}, {24}});
    }

    /** 3·1·(0.5 + 0.25) + 3·4·2; each token's slope is its row's weight. */
    @Test
    void weighsEachRowsExactKls() {
        TokenLoss exact = new KlPenalty.Exact(3).evaluate(new double[][] {{0.5, 0.25}, {2}}, new double[] {1, 4});
        assertThat(exact.loss()).isCloseTo(26.25, within(1e-12));
        assertThat(exact.gradient()).isDeepEqualTo(new double[][] {{3, 3}, {12}});
    }

    /** K3 is e^d − 1 − d = e⁻¹, e^½ − 1.5, and for d = log 2, 1 − log 2, with the slope 1 − e^d. */
    @Test
    void weighsTheEstimatorThatIsAskedFor() {
        double[][] reference = {{-2, -1.5}, {-3 + Math.log(2)}};
        TokenLoss k3 = KlPenalty.evaluate(KlEstimator.K3, LOG_PROBS, reference, new double[] {1, 4});
        assertThat(k3.loss()).isCloseTo(Math.exp(-1) + Math.exp(0.5) - 1.5 + 4 * (1 - Math.log(2)), within(1e-12));
        assertThat(k3.gradient()[0][0]).isCloseTo(1 - Math.exp(-1), within(1e-12));
        assertThat(k3.gradient()[1][0]).isCloseTo(-4, within(1e-12));
    }

    @Test
    void isOnFromZeroUp() {
        assertThat(KlPenalty.none().isOn()).isFalse();
        assertThat(new KlPenalty.Estimated(KlEstimator.K3, Double.MIN_VALUE).isOn())
                .isTrue();
        assertThat(new KlPenalty.Exact(Double.MIN_VALUE).isOn()).isTrue();
        assertThat(new KlPenalty.Exact(0).isOn()).isFalse();
        Bounds.of("KL in the loss", x -> new KlPenalty.Estimated(KlEstimator.K2, x))
                .accept(0, 1e9)
                .refuse(-0.1)
                .refuseNonFinite();
        Bounds.of("KL in the loss", KlPenalty.Exact::new)
                .accept(0, 1e9)
                .refuse(-0.1)
                .refuseNonFinite();
    }

    @Test
    void k1IsRefusedUnlessItIsOff() {
        assertThat(new KlPenalty.Estimated(KlEstimator.K1, 0).isOn()).isFalse();
        assertThatThrownBy(() -> new KlPenalty.Estimated(KlEstimator.K1, 0.1))
                .hasMessageContaining("expected gradient of 0");
    }

    @Test
    void shapesMustAgree() {
        assertThatThrownBy(() -> KlPenalty.evaluate(KlEstimator.K2, LOG_PROBS, REFERENCE, new double[] {1}))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(
                        () -> KlPenalty.evaluate(KlEstimator.K2, LOG_PROBS, new double[][] {{-1}}, new double[] {1, 1}))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
