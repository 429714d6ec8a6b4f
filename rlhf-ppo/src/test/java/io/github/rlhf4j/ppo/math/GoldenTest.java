package io.github.rlhf4j.ppo.math;

import static io.github.rlhf4j.ppo.math.Goldens.ROUNDING;
import static io.github.rlhf4j.ppo.math.Goldens.one;
import static io.github.rlhf4j.ppo.math.Goldens.row;
import static io.github.rlhf4j.ppo.math.Goldens.rows;
import static io.github.rlhf4j.ppo.math.Goldens.unpad;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What other systems compute, case by case, where this library offers it. */
class GoldenTest {

    private static final double[] ONE_ROW = {1.0 / 3};

    @Test
    void whiteningHasOpenAisAndTrlsNumbers() {
        JsonNode golden = Goldens.of("whiten_1234");
        double[][] x = one(golden.get("input"));
        assertClose(Whitening.standardize(x)[0], golden.get("openai_biased"));
        assertClose(Whitening.scaleToUnitVariance(x)[0], golden.get("openai_biased_shift_mean_False"));
        assertClose(Whitening.standardizeUnbiased(x)[0], golden.get("trl_verl_unbiased"));
        assertClose(Whitening.scaleToUnitVarianceUnbiased(x)[0], golden.get("trl_verl_unbiased_shift_mean_False"));
        // Systems that floor the variance, or add ε outside the root, differ from these below six decimals only.
        assertClose(Whitening.standardize(x)[0], golden.get("openrlhf_nemo_biased_clamp"));
        assertClose(Whitening.standardizeUnbiased(x)[0], golden.get("rl4lms_std_plus_eps"));
    }

    @Test
    void whiteningOfRaggedRowsIsThatOfUnmaskedTokens() {
        JsonNode golden = Goldens.of("masked_whiten_1234_mask0110");
        double[] mask = {0, 1, 1, 0};
        double[][] kept = {unpad(new double[] {1, 2, 3, 4}, mask)};
        assertClose(Whitening.standardizeUnbiased(kept)[0], unpad(row(golden.get("trl_verl")), mask));
        assertClose(Whitening.standardize(kept)[0], unpad(row(golden.get("biased")), mask));
    }

    @ParameterizedTest
    @ValueSource(strings = {"gae_nemo_rl_td", "gae_nemo_rl_lam95", "gae_nemo_aligner", "gae_torchtune"})
    void advantagesAndReturnsOfOneTurn(String name) {
        JsonNode golden = Goldens.of(name);
        GeneralizedAdvantages estimate = estimate(golden, one(golden.get("rewards")), one(golden.get("values")));
        assertClose(estimate.advantages()[0], golden.get("adv"));
        assertClose(estimate.returns()[0], golden.get("returns"));
    }

    @Test
    void advantagesAcrossAGapAreThoseOfTheSequenceWithoutIt() {
        JsonNode golden = Goldens.of("gae_interior_gap");
        double[] mask = row(golden.get("mask"));
        GeneralizedAdvantages estimate =
                estimate(golden, new double[][] {unpad(row(golden.get("rewards")), mask)}, new double[][] {
                    unpad(row(golden.get("values")), mask)
                });
        assertClose(estimate.advantages()[0], golden.get("collapsed"));
        assertClose(estimate.advantages()[0], unpad(row(golden.get("carry_forward")), mask));
    }

    @Test
    void advantagesOverTwoTurnsAreVerls() {
        JsonNode golden = Goldens.of("gae_verl_multiturn");
        double[] mask = row(golden.get("mask"));
        GeneralizedAdvantages estimate =
                estimate(golden, new double[][] {unpad(row(golden.get("rewards")), mask)}, new double[][] {
                    unpad(row(golden.get("values")), mask)
                });
        assertClose(estimate.advantages()[0], unpad(row(golden.get("adv_raw")), mask));
        assertClose(estimate.returns()[0], unpad(row(golden.get("returns")), mask));
        double[] whitened = Whitening.standardizeUnbiased(estimate.advantages())[0];
        assertClose(whitened, unpad(row(golden.get("adv_whitened")), mask));
    }

    private static GeneralizedAdvantages estimate(JsonNode golden, double[][] rewards, double[][] values) {
        double gamma = golden.get("gamma").doubleValue();
        return GeneralizedAdvantages.estimate(
                rewards, values, gamma, golden.get("lam").doubleValue());
    }

    @ParameterizedTest
    @ValueSource(strings = {"3.0", "6.0", "6.3", "12.0"})
    void adaptiveControllerMovesTheCoefficientAsOpenAis(String kl) {
        JsonNode golden = Goldens.of("adaptive_kl_openai");
        KlController controller = KlController.Adaptive.perSequence(0.15, 6);
        assertThat(controller.next(0.15, Double.parseDouble(kl), 512))
                .isCloseTo(golden.get("kl=" + kl).doubleValue(), ROUNDING);
    }

    @Test
    void adaptiveControllerWithAHorizonOfTenRolloutsIsRl4Lms() {
        JsonNode golden = Goldens.of("adaptive_kl_rl4lms_0.1_target0.1_kls_-0.2_0.3_0.4");
        KlController controller = new KlController.Adaptive(0.1, 0.1, 10, KlUnit.PER_TOKEN);
        double coefficient = controller.initialCoefficient();
        double[] observed = {-0.2, 0.3, 0.4};
        for (int i = 0; i < observed.length; i++) {
            coefficient = controller.next(coefficient, observed[i], 1);
            assertThat(coefficient).isCloseTo(golden.get(i).doubleValue(), ROUNDING);
        }
    }

    @Test
    void estimatorsAreNemoRls() {
        JsonNode golden = Goldens.of("kl_estimators_nemo_rl");
        double[][] logProbs = one(golden.get("logp"));
        double[][] reference = one(golden.get("ref"));
        assertClose(KlEstimator.K1.values(logProbs, reference)[0], golden.get("k1"));
        assertClose(KlEstimator.K2.values(logProbs, reference)[0], golden.get("k2"));
        assertClose(KlEstimator.K3.values(logProbs, reference)[0], golden.get("k3"));
    }

    @Test
    void estimatorsAreTrls() {
        JsonNode golden = Goldens.of("kl_trl_row");
        double[][] logProbs = {{0.5, 0.2, 0.1}};
        double[][] reference = {{0.4, 0.3, 0}};
        assertClose(KlEstimator.K1.values(logProbs, reference)[0], golden.get("kl"));
        assertClose(KlEstimator.K2.values(logProbs, reference)[0], golden.get("mse"));
        assertClose(KlEstimator.K3.values(logProbs, reference)[0], golden.get("k3"));
    }

    @Test
    void fullKlIsTrls() {
        JsonNode golden = Goldens.of("kl_full");
        double[] peaked = {0.98, 0.01, 0.01};
        double[] reversed = {0.01, 0.01, 0.98};
        double[] elsewhere = {0.02, 0.49, 0.49};
        assertThat(KlDivergence.exact(peaked, reversed))
                .isCloseTo(golden.get("a").doubleValue(), ROUNDING);
        assertThat(KlDivergence.exact(peaked, elsewhere))
                .isCloseTo(golden.get("b").doubleValue(), ROUNDING);
    }

    @Test
    void klIsCountedPerSequencePerTokenOfSequenceOrPerToken() {
        JsonNode golden = Goldens.of("kl_controller_units");
        double[][] mask = rows(Goldens.of("shaping").get("mask"));
        double[][] logProbs = unpad(rows(Goldens.of("shaping").get("logp")), mask);
        double[][] reference = unpad(rows(Goldens.of("shaping").get("ref")), mask);
        double[][] k1 = KlEstimator.K1.values(logProbs, reference);
        double[][] k3 = KlEstimator.K3.values(logProbs, reference);
        assertThat(KlUnit.PER_SEQUENCE.of(k1))
                .isCloseTo(golden.get("seq_sum_mean").doubleValue(), ROUNDING);
        assertThat(KlUnit.PER_TOKEN_OF_SEQUENCE.of(k1))
                .isCloseTo(golden.get("per_token_mean_of_means").doubleValue(), ROUNDING);
        assertThat(KlUnit.PER_TOKEN.of(k1))
                .isCloseTo(golden.get("global_token_mean").doubleValue(), ROUNDING);
        assertThat(KlUnit.PER_SEQUENCE.of(k3))
                .isCloseTo(golden.get("k3_right_way_seq_sum").doubleValue(), ROUNDING);
    }

    @Test
    void expectationsOfTheEstimatorsUnderThePolicy() {
        JsonNode golden = Goldens.of("kl_exact_expectations");
        double[] p = row(golden.get("p"));
        double[] q = row(golden.get("q"));
        assertThat(KlDivergence.exact(p, q)).isCloseTo(golden.get("kl_pq").doubleValue(), ROUNDING);
        for (KlEstimator estimator : KlEstimator.values()) {
            double expectation = 0;
            for (int v = 0; v < p.length; v++) {
                expectation += p[v] * estimator.value(Math.log(p[v]), Math.log(q[v]));
            }
            assertThat(expectation)
                    .as(estimator.name())
                    .isCloseTo(golden.get("E_k" + (estimator.ordinal() + 1)).doubleValue(), ROUNDING);
        }
    }

    @ParameterizedTest
    @CsvSource({"K1, k1_as_loss", "K2, k2_as_loss_equals_reverse_kl", "K3, k3_as_loss_equals_forward_kl"})
    void whatEachEstimatorsGradientIsAsALossTerm(KlEstimator estimator, String key) {
        double[] p = row(Goldens.of("kl_exact_expectations").get("p"));
        double[] q = row(Goldens.of("kl_exact_expectations").get("q"));
        double[] dLogits = new double[p.length];
        for (int y = 0; y < p.length; y++) {
            double dLogProb = estimator.gradient(Math.log(p[y]), Math.log(q[y]));
            for (int v = 0; v < p.length; v++) {
                dLogits[v] += p[y] * dLogProb * ((v == y ? 1 : 0) - p[v]);
            }
        }
        assertClose(dLogits, Goldens.of("kl_grad_wrt_softmax_logits").get(key));
    }

    @Test
    void klAsALossTermIsNemoRls() {
        JsonNode golden = Goldens.of("kl_penalty_in_loss");
        double[][] logProbs = one(golden.get("cur"));
        double[][] reference = one(golden.get("ref"));
        assertClose(KlEstimator.K3.values(logProbs, reference)[0], golden.get("k3"));
        double weight = golden.get("coef").doubleValue() / 3;
        assertThat(KlPenalty.evaluate(KlEstimator.K3, logProbs, reference, new double[] {weight})
                        .loss())
                .isCloseTo(golden.get("loss").doubleValue(), ROUNDING);
    }

    @Test
    void clippedLossAndItsDiagnostics() {
        JsonNode golden = Goldens.of("ppo_clip");
        double[][] logProbs = one(golden.get("cur"));
        double[][] old = one(golden.get("old"));
        PolicyLossResult result = new ClippedPolicyLoss(0.2).evaluate(logProbs, old, one(golden.get("adv")), ONE_ROW);
        RatioStatistics statistics = result.statistics();
        // The inputs of the golden are themselves rounded to five decimals.
        assertThat(result.loss()).isCloseTo(golden.get("loss").doubleValue(), ROUNDING);
        assertThat(statistics.clipFraction())
                .isCloseTo(golden.get("clipfrac_gt").doubleValue(), ROUNDING);
        assertThat(statistics.outsideFraction())
                .isCloseTo(golden.get("clipfrac_sb3_abs").doubleValue(), ROUNDING);
        assertThat(statistics.approximateKl())
                .isCloseTo(golden.get("approxkl_k2").doubleValue(), ROUNDING);
        assertThat(statistics.approximateKlK3())
                .isCloseTo(golden.get("approxkl_k3").doubleValue(), ROUNDING);
        assertThat(-KlUnit.PER_TOKEN.of(KlEstimator.K1.values(logProbs, old)))
                .isCloseTo(golden.get("policykl_old_minus_new").doubleValue(), ROUNDING);
    }

    @Test
    void dualClipBoundsTheLossOfBadTokens() {
        JsonNode golden = Goldens.of("ppo_dual_clip_c3");
        ClippedPolicyLoss dual = new ClippedPolicyLoss(0.2, 0.2, 3);
        double[] cur = row(golden.get("cur"));
        double[] old = row(golden.get("old"));
        double[] advantages = row(golden.get("adv"));
        for (int t = 0; t < cur.length; t++) {
            double loss = dual.evaluate(
                            new double[][] {{cur[t]}},
                            new double[][] {{old[t]}},
                            new double[][] {{advantages[t]}},
                            new double[] {1})
                    .loss();
            assertThat(loss).isCloseTo(golden.get("per_token").get(t).doubleValue(), ROUNDING);
        }
        double loss = dual.evaluate(one(golden.get("cur")), one(golden.get("old")), one(golden.get("adv")), ONE_ROW)
                .loss();
        assertThat(loss).isCloseTo(golden.get("loss").doubleValue(), ROUNDING);
    }

    @Test
    void atRatioOneTheClippedLossIsMinusTheMeanAdvantage() {
        JsonNode golden = Goldens.of("reinforce");
        double[][] logProbs = one(golden.get("logp"));
        double loss = new ClippedPolicyLoss(0.2)
                .evaluate(logProbs, logProbs, one(golden.get("adv")), ONE_ROW)
                .loss();
        assertThat(loss).isCloseTo(golden.get("force_on_policy_ratio1_loss").doubleValue(), ROUNDING);
    }

    @Test
    void valueLossIsHalfTheLargerSquare() {
        JsonNode golden = Goldens.of("value_loss");
        double[][] values = one(golden.get("vpred"));
        double[][] old = one(golden.get("old"));
        double[][] returns = one(golden.get("ret"));
        ClippedValueLoss clipped = new ClippedValueLoss(golden.get("clip").doubleValue());
        assertThat(clipped.evaluate(values, old, returns, ONE_ROW).loss())
                .isCloseTo(golden.get("openai_half_max").doubleValue(), ROUNDING);
        assertThat(new ClippedValueLoss(0)
                        .evaluate(values, old, returns, ONE_ROW)
                        .loss())
                .isCloseTo(golden.get("unclipped_half").doubleValue(), ROUNDING);
    }

    @ParameterizedTest
    @CsvSource({
        "TOKEN_MEAN, token_mean",
        "SEQUENCE_MEAN, seq_mean_token_mean",
        "SEQUENCE_SUM, seq_mean_token_sum",
        "CONSTANT_LENGTH, dr_grpo_maxlen8"
    })
    void lossesAreMeansOverWhatTheAggregationSays(Aggregation aggregation, String key) {
        JsonNode golden = Goldens.of("loss_agg");
        double[][] losses = unpad(rows(golden.get("loss")), rows(golden.get("mask")));
        double[] weights = aggregation.rowWeights(Ragged.lengths(losses), 8);
        // −log π of a token is its loss, so the weighted sum is the aggregate.
        double aggregate =
                LanguageModelLoss.evaluate(Ragged.map(losses, x -> -x), weights).loss();
        assertThat(aggregate).isCloseTo(golden.get(key).doubleValue(), ROUNDING);
    }

    @Test
    void rewardsAreTorchtunes() {
        double[][] golden = rows(Goldens.of("rewards_torchtune"));
        // Log ratios of −0.1, −0.2 and −0.3 at each token, scores 1, 2 and 3, coefficient 0.5.
        double[][] logProbs = {{1, 1, 1}, {2, 2, 2}, {3, 3, 3}};
        double[][] reference = {{1.1, 1.1, 1.1}, {2.2, 2.2, 2.2}, {3.3, 3.3, 3.3}};
        double[][] rewards =
                RewardShaping.perToken(new double[] {1, 2, 3}, KlEstimator.K1.values(logProbs, reference), 0.5);
        for (int i = 0; i < golden.length; i++) {
            assertClose(rewards[i], golden[i]);
        }
    }

    @Test
    void theScoreLandsOnTheLastRealToken() {
        JsonNode golden = Goldens.of("shaping");
        double[][] mask = rows(golden.get("mask"));
        double[][] k1 =
                KlEstimator.K1.values(unpad(rows(golden.get("logp")), mask), unpad(rows(golden.get("ref")), mask));
        double[][] rewards = RewardShaping.perToken(
                row(golden.get("score")), k1, golden.get("beta").doubleValue());
        double[][] expected = unpad(rows(golden.get("last_real_token")), mask);
        for (int i = 0; i < expected.length; i++) {
            assertClose(rewards[i], expected[i]);
        }
    }

    @Test
    void anUnstoppedResponseIsPenalised() {
        JsonNode golden = Goldens.of("shaping");
        double[] scores = RewardShaping.applyMissingStop(
                row(golden.get("score")), new boolean[] {true, false}, new MissingStop.Penalty(1));
        assertClose(scores, golden.get("missing_eos_penalty_1_scores"));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 16, 64})
    void bestOfNCostsThisMuchKl(int n) {
        JsonNode golden = Goldens.of("best_of_n_kl_log_n_minus");
        assertThat(BestOfNKl.bound(n)).isCloseTo(golden.get(String.valueOf(n)).doubleValue(), ROUNDING);
    }

    private static void assertClose(double[] actual, JsonNode expected) {
        assertClose(actual, row(expected));
    }

    private static void assertClose(double[] actual, double[] expected) {
        assertThat(actual).as("got %s", Arrays.toString(actual)).hasSize(expected.length);
        for (int i = 0; i < expected.length; i++) {
            assertThat(actual[i])
                    .as("entry %d of %s", i, Arrays.toString(actual))
                    .isCloseTo(expected[i], ROUNDING);
        }
    }
}
