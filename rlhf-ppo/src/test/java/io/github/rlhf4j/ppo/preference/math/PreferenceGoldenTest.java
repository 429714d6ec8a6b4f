package io.github.rlhf4j.ppo.preference.math;

import static io.github.rlhf4j.ppo.math.Goldens.ROUNDING;
import static io.github.rlhf4j.ppo.math.Goldens.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.rlhf4j.ppo.math.Goldens;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** What TRL, OpenRLHF and torchtune compute for three pairs, where this library offers it. */
class PreferenceGoldenTest {

    private static final double BETA = 0.1;

    private static final Map<String, PairLoss> ON_SUMS = new TreeMap<>(Map.of(
            "bco_pair_no_delta", new BcoLoss(BETA),
            "sigmoid", new DpoLoss(BETA),
            "cdpo_ls0_1", new ConservativeDpoLoss(BETA, 0.1),
            "robust_ls0_1", new RobustDpoLoss(BETA, 0.1),
            "hinge", new HingeLoss(BETA),
            "ipo_sum_openrlhf", new IpoLoss(BETA),
            "nca_pair", new NcaLoss(BETA),
            "sppo_hard", new SppoLoss(BETA),
            "apo_zero", new ApoZeroLoss(BETA),
            "apo_down", new ApoDownLoss(BETA)));

    @Test
    void everyVariantOnSummedLogProbs() {
        JsonNode golden = Goldens.of("dpo_family");
        assertThat(golden.get("beta").doubleValue()).isEqualTo(BETA);
        ON_SUMS.forEach((name, loss) -> {
            double[] expected = row(golden.get(name));
            for (int i = 0; i < expected.length; i++) {
                assertThat(loss.evaluate(pair(golden, i, 1, 1)).loss())
                        .as("%s of pair %d", name, i)
                        .isCloseTo(expected[i], ROUNDING);
            }
        });
    }

    /** The same on means over the tokens of each response: TRL's IPO. */
    @Test
    void identityPreferenceOptimisationOnMeansIsTrls() {
        JsonNode golden = Goldens.of("dpo_family");
        JsonNode normalized = golden.get("ipo_len_norm_trl");
        double[] expected = row(normalized.get("loss"));
        PairLoss loss = new IpoLoss(ImplicitReward.meanLogRatio(BETA));
        for (int i = 0; i < expected.length; i++) {
            PairBatch batch = pair(
                    golden,
                    i,
                    normalized.get("len_chosen").get(i).intValue(),
                    normalized.get("len_rejected").get(i).intValue());
            assertThat(loss.evaluate(batch).loss()).isCloseTo(expected[i], ROUNDING);
        }
    }

    @Test
    void responsesJudgedOneAtATime() {
        JsonNode golden = Goldens.of("dpo_family");
        KtoLoss loss = new KtoLoss(BETA);
        for (boolean desirable : new boolean[] {true, false}) {
            String kind = desirable ? "chosen" : "rejected";
            double[] expected = row(golden.get("kto_kl0_" + kind));
            for (int i = 0; i < expected.length; i++) {
                double[][] logProbs = {{golden.get("policy_" + kind).get(i).doubleValue()}};
                double[] reference = {golden.get("ref_" + kind).get(i).doubleValue()};
                assertThat(loss.evaluate(logProbs, reference, new boolean[] {desirable}, 0, 1)
                                .loss())
                        .isCloseTo(expected[i], ROUNDING);
            }
        }
    }

    @Test
    void oddsRatioPreferenceOptimisation() {
        JsonNode golden = Goldens.of("orpo");
        double[] chosen = row(golden.get("mean_logp_chosen"));
        double[] rejected = row(golden.get("mean_logp_rejected"));
        for (int i = 0; i < chosen.length; i++) {
            double loss =
                    new OrpoLoss(1).evaluate(meanPair(chosen[i], rejected[i])).loss();
            double oddsTerm = golden.get("minus_logsig").get(i).doubleValue();
            assertThat(loss).isCloseTo(-chosen[i] + oddsTerm, ROUNDING);
        }
    }

    @Test
    void simplePreferenceOptimisation() {
        JsonNode lengths = Goldens.of("orpo"); // on the same mean log-probs
        double[] chosen = row(lengths.get("mean_logp_chosen"));
        double[] rejected = row(lengths.get("mean_logp_rejected"));
        double[] expected = row(Goldens.of("simpo_beta2_gamma0.5").get("loss"));
        for (int i = 0; i < expected.length; i++) {
            assertThat(new SimpoLoss(2, 0.5)
                            .evaluate(meanPair(chosen[i], rejected[i]))
                            .loss())
                    .isCloseTo(expected[i], ROUNDING);
        }
    }

    /** NeMo-RL's hand-worked case: before the first update DPO costs ln 2. */
    @Test
    void beforeTheFirstUpdateTheLossIsLogTwo() {
        double[][] chosen = {{-1, -2}};
        double[][] rejected = {{-3}};
        PairBatch batch = new PairBatch(chosen, rejected, new double[] {-3}, new double[] {-3});
        assertThat(new DpoLoss(BETA).evaluate(batch).loss()).isEqualTo(Math.log(2));
    }

    /** Pair {@code i}, its log-probs spread evenly over so many tokens. */
    private static PairBatch pair(JsonNode golden, int i, int chosenTokens, int rejectedTokens) {
        return new PairBatch(
                spread(golden.get("policy_chosen").get(i).doubleValue(), chosenTokens),
                spread(golden.get("policy_rejected").get(i).doubleValue(), rejectedTokens),
                new double[] {golden.get("ref_chosen").get(i).doubleValue()},
                new double[] {golden.get("ref_rejected").get(i).doubleValue()});
    }

    /** Responses of three and of two tokens with these means. */
    private static PairBatch meanPair(double chosen, double rejected) {
        return new PairBatch(spread(3 * chosen, 3), spread(2 * rejected, 2), new double[1], new double[1]);
    }

    private static double[][] spread(double sum, int tokens) {
        double[] row = new double[tokens];
        Arrays.fill(row, sum / tokens);
        return new double[][] {row};
    }
}
