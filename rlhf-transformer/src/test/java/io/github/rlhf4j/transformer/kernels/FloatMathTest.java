package io.github.rlhf4j.transformer.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

/** The documented error bounds hold over a dense grid of the whole range. */
class FloatMathTest {

    private static float[] grid(double from, double to, int count) {
        float[] x = new float[count];
        for (int i = 0; i < count; i++) {
            x[i] = (float) (from + (to - from) * i / (count - 1));
        }
        return x;
    }

    @Test
    void expIsWithinItsRelativeError() {
        float[] x = grid(-87.2, 88.2, 2_000_003);
        float[] e = new float[x.length];
        FloatMath.exp(x, e, 0, x.length);
        double worst = 0;
        for (int i = 0; i < x.length; i++) {
            worst = Math.max(worst, Math.abs(e[i] / Math.exp(x[i]) - 1));
        }
        assertThat(worst).isLessThan(FloatMath.EXP_ERROR);
    }

    @Test
    void expOfZeroIsOneAndSmallStepsKeepTheOrder() {
        float[] x = {0f, -0f, -1e-7f, Float.NEGATIVE_INFINITY, Float.NaN, -1e9f};
        float[] e = new float[x.length];
        FloatMath.exp(x, e, 0, x.length);
        assertThat(e[0]).isEqualTo(1f);
        assertThat(e[1]).isEqualTo(1f);
        assertThat(e[2]).isLessThan(1f);
        assertThat(e[3]).isBetween(0f, 2e-38f);
        assertThat(e[4]).isNaN();
        assertThat(e[5]).isBetween(0f, 2e-38f);
    }

    @Test
    void expRefusesToRunInPlace() {
        float[] x = {1};
        assertThatThrownBy(() -> FloatMath.exp(x, x, 0, 1)).hasMessageContaining("another array");
    }

    @Test
    void sumsAndMaximaCoverEveryElementOfARange() {
        for (int length = 0; length < 20; length++) {
            float[] x = grid(1, 3, 24);
            double sum = 0;
            double dot = 0;
            float max = Float.NEGATIVE_INFINITY;
            for (int i = 2; i < 2 + length; i++) {
                sum += x[i];
                dot += (double) x[i] * x[i + 1];
                max = Math.max(max, x[i]);
            }
            assertThat(FloatMath.sum(x, 2, 2 + length)).isCloseTo(sum, within(1e-12));
            assertThat(FloatMath.dot(x, 2, 2 + length, x, 3)).isCloseTo(dot, within(1e-12));
            assertThat(FloatMath.max(x, 2, 2 + length)).isEqualTo(max);
        }
    }
}
