package io.github.rlhf4j.ppo;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.function.DoubleConsumer;

/** Asserts which numbers a setting takes, up to the edges of its range. */
public final class Bounds {

    private final String what;
    private final DoubleConsumer setting;

    private Bounds(String what, DoubleConsumer setting) {
        this.what = what;
        this.setting = setting;
    }

    /**
     * @param what part of the message of a refusal
     * @param setting makes something with a number
     */
    public static Bounds of(String what, DoubleConsumer setting) {
        return new Bounds(what, setting);
    }

    public Bounds accept(double... values) {
        for (double value : values) {
            assertThatCode(() -> setting.accept(value))
                    .as("%s: %s", what, value)
                    .doesNotThrowAnyException();
        }
        return this;
    }

    public Bounds refuse(double... values) {
        for (double value : values) {
            assertThatThrownBy(() -> setting.accept(value))
                    .as("%s: %s", what, value)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(what);
        }
        return this;
    }

    /** What is infinite or no number. */
    public Bounds refuseNonFinite() {
        return refuse(Double.NaN, Double.POSITIVE_INFINITY);
    }
}
