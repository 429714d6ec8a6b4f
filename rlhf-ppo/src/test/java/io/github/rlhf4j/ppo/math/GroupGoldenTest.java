package io.github.rlhf4j.ppo.math;

import static io.github.rlhf4j.ppo.math.Goldens.ROUNDING;
import static io.github.rlhf4j.ppo.math.Goldens.one;
import static io.github.rlhf4j.ppo.math.Goldens.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What TRL, verl, OpenRLHF, DeepSeek and NeMo-RL compute without a value function. */
class GroupGoldenTest {

    private static final double[][] ONE_TO_FOUR = {{1}, {2}, {3}, {4}};
    private static final Map<String, GroupAdvantages> ESTIMATORS = Map.of(
            "trl_grpo", GrpoAdvantages.defaults(),
            "verl_grpo", new GrpoAdvantages(GrpoAdvantages.Deviation.SAMPLE, 1e-6),
            "openrlhf_group_norm", new GrpoAdvantages(GrpoAdvantages.Deviation.SAMPLE, 1e-9),
            "deepseek_pop_std", new GrpoAdvantages(GrpoAdvantages.Deviation.POPULATION, 1e-9),
            "dr_grpo", new DrGrpoAdvantages(),
            "rloo", new RlooAdvantages(),
            "nemo_rl_default_loo_norm", new NormalizedRlooAdvantages());

    @Test
    void advantagesOfOneGroup() {
        JsonNode golden = Goldens.of("group_adv_1234");
        ESTIMATORS.forEach((name, estimator) -> {
            double[][] advantages = estimator.estimate(ONE_TO_FOUR, 4);
            double[] expected = row(golden.get(name));
            for (int i = 0; i < expected.length; i++) {
                assertThat(advantages[i][0]).as("%s, response %d", name, i).isCloseTo(expected[i], ROUNDING);
            }
        });
    }

    @Test
    void deviationsOfTheOthers() {
        double[] expected = row(Goldens.of("group_adv_1234").get("nemo_loo_std"));
        for (int i = 0; i < expected.length; i++) {
            double[] others = Groups.without(new double[] {1, 2, 3, 4}, i);
            assertThat(Groups.standardDeviation(others, 1)).isCloseTo(expected[i], ROUNDING);
        }
    }

    @Test
    void leaveOneOutBaselines() {
        JsonNode golden = Goldens.of("rloo_baseline_leave_one_out");
        double[] rewards = row(golden.get("group1"));
        double[] baselines = row(golden.get("baseline"));
        double[] advantages = new RlooAdvantages().ofGroup(rewards);
        for (int i = 0; i < rewards.length; i++) {
            assertThat(advantages[i]).isCloseTo(rewards[i] - baselines[i], ROUNDING);
        }
    }

    /** TRL's test of its vectorised RLOO: two groups of four. */
    @Test
    void leaveOneOutIsTrls() {
        double[][] rewards = {{1}, {2}, {5}, {8}, {3}, {2}, {9}, {6}};
        double[][] advantages = new RlooAdvantages().estimate(rewards, 4);
        assertThat(advantages[0][0]).isCloseTo(1 - (2 + 5 + 8) / 3.0, ROUNDING);
        assertThat(advantages[7][0]).isCloseTo(6 - (3 + 2 + 9) / 3.0, ROUNDING);
    }

    private static double loss(PolicyLoss loss, JsonNode inputs, double[][] old) {
        return loss.evaluate(one(inputs.get("cur")), old, one(inputs.get("adv")), new double[] {1.0 / 3})
                .loss();
    }

    /** On the inputs of NeMo-RL's clipped case. */
    @Test
    void sequenceRatioIsTheGeometricMean() {
        JsonNode inputs = Goldens.of("ppo_clip");
        JsonNode golden = Goldens.of("gspo");
        assertThat(loss(new GspoLoss(0.2, 0.2), inputs, one(inputs.get("old"))))
                .isCloseTo(golden.get("loss").doubleValue(), ROUNDING);
        // Advantages 1, 0, 0 leave −s/3.
        double ratio = -3
                * new GspoLoss(0.2, 0.2)
                        .evaluate(
                                one(inputs.get("cur")),
                                one(inputs.get("old")),
                                new double[][] {{1, 0, 0}},
                                new double[] {1.0 / 3})
                        .loss();
        assertThat(ratio).isCloseTo(golden.get("ratio").doubleValue(), ROUNDING);
    }

    @Test
    void sequencesOfABatchAreClippedEachByItself() {
        JsonNode golden = Goldens.of("gspo_batch2");
        double[] current = row(golden.get("cur"));
        double[] advantages = row(golden.get("adv"));
        double[] previous = row(golden.get("prev_rows"));
        double loss = new GspoLoss(0.2, 0.2)
                .evaluate(
                        new double[][] {current, current},
                        new double[][] {{previous[0], previous[0], previous[0]}, {previous[1], previous[1], previous[1]}
                        },
                        new double[][] {advantages, advantages},
                        new double[] {1.0 / 6, 1.0 / 6})
                .loss();
        assertThat(loss).isCloseTo(golden.get("loss").doubleValue(), ROUNDING);
    }

    @Test
    void clippedWeightsOfLogProbs() {
        JsonNode inputs = Goldens.of("ppo_clip");
        assertThat(loss(new CispoLoss(0.2, 0.2), inputs, one(inputs.get("old"))))
                .isCloseTo(Goldens.of("cispo").get("loss").doubleValue(), ROUNDING);
    }

    @Test
    void policyGradientLoss() {
        JsonNode golden = Goldens.of("reinforce");
        double[][] logProbs = one(golden.get("logp"));
        double loss = new ReinforceLoss()
                .evaluate(logProbs, logProbs, one(golden.get("adv")), new double[] {1.0 / 3})
                .loss();
        assertThat(loss).isCloseTo(golden.get("loss").doubleValue(), ROUNDING);
    }

    /** TRL caps the punishment at −1; NeMo-RL does not, which no response that was cut at the limit can show. */
    @Test
    void overlongResponsesLoseUpToOne() {
        JsonNode golden = Goldens.of("overlong_max110_buf20");
        OverlongPunishment punishment = new OverlongPunishment(100, 20);
        for (String system : new String[] {"trl_soft_overlong_maxlen100_cache20", "nemo_rl_uncapped_maxlen100_buf20"}) {
            golden.get(system).properties().forEach(entry -> {
                int length = Integer.parseInt(entry.getKey());
                if (system.startsWith("trl") || length <= 100) {
                    assertThat(punishment.of(length))
                            .as("%s, %d tokens", system, length)
                            .isCloseTo(entry.getValue().doubleValue(), ROUNDING);
                }
            });
        }
        assertThat(punishment.apply(new double[][] {new double[95], new double[10]})[0][94])
                .isEqualTo(-0.75);
    }

    /** The average over tokens of the gradient of K2 as a loss term is that of the whole distribution's KL. */
    @Test
    void theWholeDistributionsKlHasTheGradientThatK2HasOnAverage() {
        JsonNode distributions = Goldens.of("kl_exact_expectations");
        double[][] logits = Ragged.map(one(distributions.get("p")), Math::log);
        double[][] reference = Ragged.map(one(distributions.get("q")), p -> Math.log(p) + 5);
        TokenLoss kl = ExactKlPenalty.evaluate(logits, reference, new double[] {1});
        assertThat(kl.loss()).isCloseTo(distributions.get("kl_pq").doubleValue(), ROUNDING);
        double[] expected = row(Goldens.of("kl_grad_wrt_softmax_logits").get("k2_as_loss_equals_reverse_kl"));
        for (int v = 0; v < expected.length; v++) {
            assertThat(kl.gradient()[0][v]).isCloseTo(expected[v], ROUNDING);
        }
    }
}
