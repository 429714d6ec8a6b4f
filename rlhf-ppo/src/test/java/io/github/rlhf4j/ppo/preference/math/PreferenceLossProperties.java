package io.github.rlhf4j.ppo.preference.math;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.DoubleRange;

/** What theory says of the losses, for any pair. */
class PreferenceLossProperties {

    private static final double BETA = 0.3;

    /** The losses that see two rewards through their difference alone. */
    private static final List<PairLoss> OF_THE_DIFFERENCE = List.of(
            new DpoLoss(BETA),
            new ConservativeDpoLoss(BETA, 0.1),
            new RobustDpoLoss(BETA, 0.1),
            new IpoLoss(BETA),
            new HingeLoss(BETA),
            new SlicLoss(1, 0));

    @Provide
    Arbitrary<PreferenceCase> cases() {
        return PreferenceCase.any();
    }

    @Provide
    Arbitrary<PairLoss> ofTheDifference() {
        return Arbitraries.of(OF_THE_DIFFERENCE);
    }

    private static Pair pair(double chosen, double rejected) {
        return new Pair(new ResponseLogProb(chosen, 0, 1), new ResponseLogProb(rejected, 0, 1));
    }

    /** Rewards that differ by a constant per prompt stand for one policy (Rafailov et al. 2023, §5.1, lemma 1). */
    @Property(tries = 200)
    void aShiftOfBothLogProbsOfAPromptChangesNothing(
            @ForAll("ofTheDifference") PairLoss loss,
            @ForAll("cases") PreferenceCase c,
            @ForAll @DoubleRange(min = -20, max = 20) double shift) {
        PairTerm term = loss.of(c.pair());
        ResponseLogProb chosen = c.pair().chosen();
        ResponseLogProb rejected = c.pair().rejected();
        PairTerm ofPolicy = loss.of(new Pair(shifted(chosen, shift, 0), shifted(rejected, shift, 0)));
        PairTerm ofReference = loss.of(new Pair(shifted(chosen, 0, shift), shifted(rejected, 0, shift)));
        for (PairTerm moved : List.of(ofPolicy, ofReference)) {
            assertThat(moved.loss()).isCloseTo(term.loss(), within(1e-9));
            assertThat(moved.dChosen()).isCloseTo(term.dChosen(), within(1e-9));
            assertThat(moved.dRejected()).isCloseTo(-term.dChosen(), within(1e-9));
        }
    }

    private static ResponseLogProb shifted(ResponseLogProb response, double policy, double reference) {
        return new ResponseLogProb(response.logProb() + policy, response.reference() + reference, response.tokens());
    }

    /** NCA, APO and SPPO look at rewards one by one, so that a shift is not free: the chosen response is held. */
    @Property(tries = 50)
    void anchoredLossesSeeAShift(@ForAll @DoubleRange(max = 2) double chosen) {
        for (PairLoss loss : List.of(new NcaLoss(1), new ApoZeroLoss(1), new ApoDownLoss(1), new SppoLoss(1))) {
            assertThat(loss.of(pair(chosen - 6, -1 - 6)).loss())
                    .as("%s", loss)
                    .isNotCloseTo(loss.of(pair(chosen, -1)).loss(), within(1e-6));
        }
    }

    /** BCO is at least DPO's loss, whatever its shift (Jung et al. 2024). */
    @Property(tries = 200)
    void aBinaryClassifierBoundsDpoFromAbove(
            @ForAll("cases") PreferenceCase c, @ForAll @DoubleRange(min = -5, max = 5) double shift) {
        double dpo = new DpoLoss(BETA).of(c.pair()).loss();
        assertThat(new BcoLoss(ImplicitReward.logRatio(BETA), shift)
                        .of(c.pair())
                        .loss())
                .isGreaterThanOrEqualTo(dpo);
    }

    /** What rewards count from is their mean, also below another term; losses of differences have no such point. */
    @Property(tries = 50)
    void ofTheLossesOnlyBcoCountsFromTheMeanReward(
            @ForAll("cases") PreferenceCase c, @ForAll @DoubleRange(min = -5, max = 5) double mean) {
        BcoLoss bco = new BcoLoss(ImplicitReward.logRatio(BETA), 0.25);
        BcoLoss moved = new BcoLoss(ImplicitReward.logRatio(BETA), 0.25 + mean);
        assertThat(bco.countingFrom(mean)).isEqualTo(moved);
        assertThat(new RpoLoss(bco, 1).countingFrom(mean).of(c.pair())).isEqualTo(new RpoLoss(moved, 1).of(c.pair()));
        DpoLoss dpo = new DpoLoss(BETA);
        assertThat(dpo.countingFrom(mean)).isSameAs(dpo);
    }

    /** Of all shifts the midpoint of the two rewards costs one pair least. */
    @Property(tries = 100)
    void theClassifiersShiftIsTheMidpoint(
            @ForAll("cases") PreferenceCase c, @ForAll @DoubleRange(min = -3, max = 3) double elsewhere) {
        ImplicitReward reward = ImplicitReward.logRatio(BETA);
        double midpoint = BcoLoss.shift(
                new double[] {reward.of(c.pair().chosen())},
                new double[] {reward.of(c.pair().rejected())});
        assertThat(new BcoLoss(reward, midpoint).of(c.pair()).loss())
                .isLessThanOrEqualTo(
                        new BcoLoss(reward, midpoint + elsewhere).of(c.pair()).loss() + 1e-12);
    }

    /** (1 − ε)·robust(δ) + ε·robust(−δ) = DPO(δ): the estimate is unbiased (Chowdhury et al. 2024). */
    @Property(tries = 200)
    void theRobustLossOfNoisyLabelsIsTheLossOfTrueOnesOnAverage(
            @ForAll @DoubleRange(min = -20, max = 20) double lead, @ForAll @DoubleRange(max = 0.4) double noise) {
        RobustDpoLoss robust = new RobustDpoLoss(1, noise);
        double average = (1 - noise) * robust.of(pair(lead, 0)).loss()
                + noise * robust.of(pair(0, lead)).loss();
        assertThat(average).isCloseTo(new DpoLoss(1).of(pair(lead, 0)).loss(), within(1e-9));
    }

    /** Label smoothing and IPO have their minimum at a finite difference; DPO and the robust loss have none. */
    @Property(tries = 100)
    void whereTheMinimumIs(@ForAll @DoubleRange(min = 0.01, max = 0.45) double noise) {
        double smoothed = Math.log((1 - noise) / noise);
        assertThat(new ConservativeDpoLoss(1, noise).of(pair(smoothed, 0)).dChosen())
                .isCloseTo(0, within(1e-12));
        double beta = noise;
        assertThat(new IpoLoss(beta).of(pair(1 / (2 * beta), 0)).dChosen()).isCloseTo(0, within(1e-9));
        assertThat(new DpoLoss(1).of(pair(smoothed, 0)).dChosen()).isNegative();
        assertThat(new RobustDpoLoss(1, noise).of(pair(30, 0)).dChosen()).isNegative();
    }

    /** Variants with their own term switched off are the plain ones. */
    @Property(tries = 200)
    void variantsContainOneAnother(@ForAll("cases") PreferenceCase c) {
        assertSame(new ConservativeDpoLoss(BETA, 0), new DpoLoss(BETA), c);
        assertSame(new RobustDpoLoss(BETA, 0), new DpoLoss(BETA), c);
        assertSame(new RpoLoss(new HingeLoss(BETA), 0), new HingeLoss(BETA), c);
        assertSame(new CpoLoss(BETA, 0), new DpoLoss(ImplicitReward.logProb(BETA)), c);
        assertSame(new SimpoLoss(2, 0), new DpoLoss(ImplicitReward.meanLogProb(2)), c);
        assertSame(new SlicLoss(1, 0), new HingeLoss(ImplicitReward.logProb(1)), c);
    }

    private static void assertSame(PairLoss variant, PairLoss plain, PreferenceCase c) {
        PairTerm a = variant.of(c.pair());
        PairTerm b = plain.of(c.pair());
        assertThat(a.loss()).as("%s", variant).isCloseTo(b.loss(), within(1e-12));
        assertThat(a.dChosen()).as("%s", variant).isCloseTo(b.dChosen(), within(1e-12));
        assertThat(a.dRejected()).as("%s", variant).isCloseTo(b.dRejected(), within(1e-12));
    }

    /** A response said twice has the same mean and twice the sum. */
    @Property(tries = 100)
    void lengthNormalisationForgetsLength(@ForAll("cases") PreferenceCase c) {
        ResponseLogProb once = c.pair().chosen();
        ResponseLogProb twice = new ResponseLogProb(2 * once.logProb(), 2 * once.reference(), 2 * once.tokens());
        ImplicitReward mean = ImplicitReward.meanLogRatio(BETA);
        ImplicitReward sum = ImplicitReward.logRatio(BETA);
        assertThat(mean.of(twice)).isCloseTo(mean.of(once), within(1e-12));
        assertThat(sum.of(twice)).isCloseTo(2 * sum.of(once), within(1e-12));
    }

    @Property(tries = 100)
    void extremeLogProbsStayFinite(@ForAll @DoubleRange(min = -1e5, max = 0) double logProb) {
        List<PairLoss> losses = List.of(
                new DpoLoss(1),
                new ConservativeDpoLoss(1, 0.1),
                new RobustDpoLoss(1, 0.1),
                new IpoLoss(1),
                new HingeLoss(1),
                new SlicLoss(1, 1),
                new ApoZeroLoss(1),
                new ApoDownLoss(1),
                new NcaLoss(1),
                new BcoLoss(1),
                new SppoLoss(1),
                new OrpoLoss(1),
                new SimpoLoss(2, 1),
                new CpoLoss(1, 1));
        for (PairLoss loss : losses) {
            for (Pair pair : List.of(pair(logProb, 0), pair(0, logProb), pair(0, 0), pair(logProb, logProb))) {
                PairTerm term = loss.of(pair);
                assertThat(term.loss()).as("%s of %s", loss, pair).isFinite();
                assertThat(term.dChosen()).as("%s of %s", loss, pair).isFinite();
                assertThat(term.dRejected()).as("%s of %s", loss, pair).isFinite();
            }
        }
    }

    /** However a minibatch is split, losses, gradients and statistics are those of the whole. */
    @Property(tries = 100)
    void microBatchesAddUp(@ForAll("cases") PreferenceCase a, @ForAll("cases") PreferenceCase b) {
        PairLoss loss = new RpoLoss(new DpoLoss(BETA), 0.5);
        PairBatch both = new PairBatch(
                new double[][] {a.chosen(), b.chosen()},
                new double[][] {a.rejected(), b.rejected()},
                new double[] {a.chosenReference(), b.chosenReference()},
                new double[] {a.rejectedReference(), b.rejectedReference()});
        PairResult whole = loss.evaluate(both);
        PairResult first = loss.evaluate(a.batch(), 0.5);
        PairResult second = loss.evaluate(b.batch(), 0.5);
        assertThat(first.loss() + second.loss()).isCloseTo(whole.loss(), within(1e-12));
        assertThat(second.dChosen()[0]).isEqualTo(whole.dChosen()[1]);
        assertThat(second.dRejected()[0]).isEqualTo(whole.dRejected()[1]);
        assertThat(first.statistics().plus(second.statistics())).isEqualTo(whole.statistics());
    }

    /** Rewards count from their anchor: at it, half of the loss is left, and a gradient of a quarter. */
    @Property(tries = 100)
    void judgedResponsesAreComparedWithTheAnchor(
            @ForAll @DoubleRange(max = 9) double anchor, @ForAll @DoubleRange(min = -20, max = 20) double gain) {
        KtoLoss loss = new KtoLoss(1);
        ResponseLogProb atAnchor = new ResponseLogProb(anchor, 0, 1);
        assertThat(loss.of(atAnchor, true, anchor)).isEqualTo(new KtoLoss.Term(0.5, -0.25));
        assertThat(loss.of(atAnchor, false, anchor)).isEqualTo(new KtoLoss.Term(0.5, 0.25));
        ResponseLogProb other = new ResponseLogProb(anchor + gain, 0, 1);
        double desirable = loss.of(other, true, anchor).loss();
        assertThat(desirable).isBetween(0.0, 1.0);
        assertThat(desirable + loss.of(other, false, anchor).loss()).isCloseTo(1, within(1e-12));
    }

    @Example
    void theAnchorIsAMeanThatIsNeverNegative() {
        assertThat(KtoLoss.anchor(new double[] {-1, -2}, new double[] {-3, -1})).isEqualTo(0.5);
        assertThat(KtoLoss.anchor(new double[] {-4}, new double[] {-3})).isZero();
        assertThatThrownBy(() -> KtoLoss.anchor(new double[0], new double[0])).hasMessageContaining("at least one");
    }

    @Example
    void statisticsAreMeansOverPairs() {
        PairBatch batch = new PairBatch(
                new double[][] {{-1, -1}, {-4}, {-2}},
                new double[][] {{-3}, {-1, -1}, {-2}},
                new double[] {-3, -4, -5},
                new double[] {-3, -4, -5});
        PreferenceStatistics statistics = new DpoLoss(0.5).evaluate(batch).statistics();
        assertThat(statistics.chosenReward()).isCloseTo(0.5 * (1 + 0 + 3) / 3, within(1e-12));
        assertThat(statistics.rejectedReward()).isCloseTo(0.5 * (0 + 2 + 3) / 3, within(1e-12));
        assertThat(statistics.margin()).isCloseTo(-1.0 / 6, within(1e-12));
        assertThat(statistics.accuracy()).isEqualTo(1.5 / 3);
        assertThat(statistics.chosenLogProb()).isCloseTo(-8.0 / 3, within(1e-12));
        assertThat(statistics.rejectedLogProb()).isCloseTo(-7.0 / 3, within(1e-12));
        KtoLoss.Result judged = new KtoLoss(0.5)
                .evaluate(
                        new double[][] {{-1}, {-2}, {-3}},
                        new double[] {-2, -2, -2},
                        new boolean[] {true, false, false},
                        0,
                        1);
        assertThat(judged.statistics().chosenReward()).isEqualTo(0.5);
        assertThat(judged.statistics().rejectedReward()).isEqualTo(-0.25);
        assertThat(judged.statistics().accuracy()).isNaN();
    }

    @Example
    void impossibleSettingsAndInputsAreRefused() {
        assertThatThrownBy(() -> new DpoLoss(0)).hasMessageContaining("beta").hasMessageContaining("got 0.0");
        assertThatThrownBy(() -> new ConservativeDpoLoss(1, 0.5))
                .hasMessageContaining("[0, 0.5)")
                .hasMessageContaining("swap");
        assertThatThrownBy(() -> new RobustDpoLoss(1, 0.6)).hasMessageContaining("0.6");
        assertThatThrownBy(() -> new IpoLoss(ImplicitReward.logProb(1)))
                .hasMessageContaining("IPO is defined on a reward whose reference is SUBTRACTED");
        assertThatThrownBy(() -> new BcoLoss(ImplicitReward.logRatio(1), Double.NaN))
                .hasMessageContaining("shift of BCO");
        assertThatThrownBy(() -> BcoLoss.shift(new double[1], new double[0])).hasMessageContaining("1 and 0");
        assertThatThrownBy(() -> new SlicLoss(0, 1)).hasMessageContaining("margin of SLiC");
        assertThatThrownBy(() -> new SimpoLoss(2, -1)).hasMessageContaining("margin of SimPO");
        assertThatThrownBy(() -> new CpoLoss(-1, 1)).hasMessageContaining("beta");
        assertThatThrownBy(() -> new OrpoLoss(Double.NaN)).hasMessageContaining("lambda");
        assertThatThrownBy(() -> new RpoLoss(new DpoLoss(1), -1)).hasMessageContaining("RPO");
        assertThatThrownBy(() -> new KtoLoss(1).withWeights(0, 1)).hasMessageContaining("desirableWeight");
        assertThatThrownBy(() -> new PairBatch(new double[1][1], new double[2][1], new double[1], new double[1]))
                .hasMessageContaining("got 1, 2, 1 and 1");
        assertThatThrownBy(() -> new DpoLoss(1)
                        .evaluate(new PairBatch(new double[1][0], new double[1][1], new double[1], new double[1])))
                .hasMessageContaining("at least one scored token");
        assertThatThrownBy(() -> new KtoLoss(1).evaluate(new double[1][1], new double[2], new boolean[1], 0, 1))
                .hasMessageContaining("1 responses, 2 log-probs");
    }

    @Property(tries = 100)
    void theRightOrderCostsLess(
            @ForAll("ofTheDifference") PairLoss loss, @ForAll @DoubleRange(min = 0.1, max = 1) double lead) {
        assertThat(loss.of(pair(lead - 2, -2)).loss())
                .isLessThan(loss.of(pair(-2, lead - 2)).loss());
    }
}
