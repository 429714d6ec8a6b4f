package io.github.rlhf4j.ppo.preference.math;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rlhf4j.ppo.Bounds;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Each setting's range at its edges, what a loss needs a reference for, and the corners of the hinges. */
class PreferenceBoundsTest {

    private static final double[][] TWO = {{-1}, {-2}};

    @Test
    void settings() {
        Bounds.of("beta of an implicit reward", DpoLoss::new)
                .accept(1e-9)
                .refuse(-1, 0)
                .refuseNonFinite();
        Bounds.of("labelNoise", x -> new ConservativeDpoLoss(1, x))
                .accept(0, 0.49)
                .refuse(-0.1, 0.5, Double.NaN);
        Bounds.of("likelihood's weight of CPO", x -> new CpoLoss(1, x))
                .accept(0, 9)
                .refuse(-1)
                .refuseNonFinite();
        Bounds.of("desirableWeight", x -> new KtoLoss(1).withWeights(x, 1))
                .accept(9)
                .refuse(-1, 0)
                .refuseNonFinite();
        Bounds.of("undesirableWeight", x -> new KtoLoss(1).withWeights(1, x))
                .accept(9)
                .refuse(-1, 0)
                .refuseNonFinite();
        Bounds.of("margin of SLiC", x -> new SlicLoss(x, 1))
                .accept(9)
                .refuse(-1, 0)
                .refuseNonFinite();
        Bounds.of("regularization of SLiC", x -> new SlicLoss(1, x))
                .accept(0, 9)
                .refuse(-1)
                .refuseNonFinite();
    }

    @Test
    void lossesThatCompareWithAReferenceNeedOne() {
        Map<String, Function<ImplicitReward, PreferenceLoss>> losses = Map.of(
                "IPO", IpoLoss::new,
                "NCA", NcaLoss::new,
                "SPPO", SppoLoss::new,
                "BCO", reward -> new BcoLoss(reward, 0),
                "KTO", reward -> new KtoLoss(reward, 1, 1));
        losses.forEach((name, of) -> assertThatThrownBy(() -> of.apply(ImplicitReward.logProb(1)))
                .hasMessageContaining(name + " is defined on a reward whose reference is SUBTRACTED"));
        assertThatThrownBy(() -> new ApoZeroLoss(ImplicitReward.logProb(1))).hasMessageContaining("APO is defined");
        assertThatThrownBy(() -> new ApoDownLoss(ImplicitReward.logProb(1))).hasMessageContaining("APO is defined");
    }

    @Test
    void batchesAreOfAsManyOfEachKind() {
        double[] two = {-1, -2};
        double[] one = {-1};
        assertThat(new PairBatch(TWO, TWO, two, two).size()).isEqualTo(2);
        String rule = "a batch of pairs needs";
        assertThatThrownBy(() -> new PairBatch(new double[0][], new double[0][], new double[0], new double[0]))
                .hasMessageContaining(rule);
        assertThatThrownBy(() -> new PairBatch(TWO, new double[1][1], two, two)).hasMessageContaining(rule);
        assertThatThrownBy(() -> new PairBatch(TWO, TWO, one, two)).hasMessageContaining(rule);
        assertThatThrownBy(() -> new PairBatch(TWO, TWO, two, one)).hasMessageContaining(rule);
        KtoLoss kto = new KtoLoss(1);
        assertThatThrownBy(() -> kto.evaluate(TWO, one, new boolean[2], 0, 1)).hasMessageContaining("1 log-probs");
        assertThatThrownBy(() -> kto.evaluate(TWO, two, new boolean[1], 0, 1)).hasMessageContaining("1 judgements");
        assertThatThrownBy(() -> KtoLoss.anchor(one, two)).hasMessageContaining("got 1 and 2");
    }

    @Test
    void theShiftOfBcoIsBetweenTheMeans() {
        assertThat(BcoLoss.shift(new double[] {1, 3}, new double[] {-1, -1, -4}))
                .isEqualTo(0);
        assertThat(BcoLoss.shift(new double[] {1, 3}, new double[] {1})).isEqualTo(1.5);
        assertThatThrownBy(() -> BcoLoss.shift(new double[0], new double[1])).hasMessageContaining("got 0 and 1");
        assertThatThrownBy(() -> BcoLoss.shift(new double[1], new double[0])).hasMessageContaining("got 1 and 0");
    }

    /** A margin that is met is not pulled at, to the bit. */
    @Test
    void atTheCornerOfAHingeNothingPulls() {
        assertThat(new HingeLoss(1).ofRewards(1, 0)).isEqualTo(PairTerm.ofDifference(0, 0));
        assertThat(new SlicLoss(1, 0).ofRewards(1, 0).dRejected()).isZero();
    }
}
