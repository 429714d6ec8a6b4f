package io.github.rlhf4j.reward.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.reward.RewardModels;
import io.github.rlhf4j.reward.labeling.LabelNoise;
import io.github.rlhf4j.reward.labeling.SimulatedLabeler;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Accuracy, calibration and agreement on answers whose law is known. */
class RewardEvaluationTest {

    private static final RewardModel TASTE = RewardModels.of(e -> Double.parseDouble(e.response()));
    private static final Conversation PROMPT = Conversation.of("p");

    /** Pairs of utilities 0 … 3 apart, answered by Bradley and Terry. */
    private static PreferenceDataset answers() {
        SimulatedLabeler labeler =
                new SimulatedLabeler(TASTE, new LabelNoise.BradleyTerry(1), SimulatedLabeler.Ties.REPORTED, 3);
        List<Ranking> rankings = new ArrayList<>();
        for (int q = 0; q < 8_000; q++) {
            rankings.add(labeler.compare(Conversation.of("q" + q), Double.toString((q % 31) / 10.0), "0"));
        }
        return PreferenceDataset.of(rankings);
    }

    @Test
    void theTrueUtilityIsCalibrated() {
        RewardCalibration calibration = RewardCalibration.of(TASTE, answers(), 10);
        assertThat(calibration.expectedCalibrationError()).isLessThan(0.015);
        assertThat(calibration.comparisons()).isEqualTo(8_000);
        assertThat(calibration.bins()).allSatisfy(bin -> {
            assertThat(bin.meanConfidence()).isBetween(bin.lower(), bin.upper());
            assertThat(bin.frequency()).isCloseTo(bin.meanConfidence(), within(4 * bin.standardError() + 1e-9));
        });
        assertThat(calibration.accuracy())
                .isCloseTo(RewardAccuracy.of(TASTE, answers()).accuracy(), within(1e-12));
    }

    @Test
    void anOverconfidentModelIsSeenToBe() {
        RewardModel overconfident = RewardModels.weightedSum(new RewardModels.Weighted(TASTE, 4));
        RewardCalibration calibration = RewardCalibration.of(overconfident, answers(), 10);
        assertThat(calibration.expectedCalibrationError()).isGreaterThan(0.1);
        assertThat(calibration.bins().get(calibration.bins().size() - 1))
                .satisfies(bin -> assertThat(bin.frequency()).isLessThan(bin.meanConfidence()));
    }

    @Test
    void aModelThatKnowsNothingScoresHalf() {
        RewardAccuracy accuracy = RewardAccuracy.of(RewardModels.of(e -> 3), answers());
        assertThat(accuracy.accuracy()).isEqualTo(0.5);
        assertThat(accuracy.loss()).isCloseTo(Math.log(2), within(1e-12));
        assertThat(RewardCalibration.of(RewardModels.of(e -> 3), answers(), 5).bins())
                .singleElement()
                .satisfies(bin -> assertThat(bin.frequency()).isEqualTo(0.5));
    }

    @Test
    void calibrationWorkedByHand() {
        PreferenceDataset dataset = PreferenceDataset.of(List.of(
                Ranking.ofPair(PROMPT, "2", "0"), Ranking.ofPair(PROMPT, "0", "2"), Ranking.ofPair(PROMPT, "2", "0")));
        RewardCalibration calibration = RewardCalibration.of(TASTE, dataset, 4);
        double confidence = 1 / (1 + Math.exp(-2));
        assertThat(calibration.bins()).singleElement().satisfies(bin -> {
            assertThat(bin.lower()).isEqualTo(0.875);
            assertThat(bin.frequency()).isCloseTo(2 / 3.0, within(1e-12));
            assertThat(bin.meanConfidence()).isCloseTo(confidence, within(1e-12));
        });
        assertThat(calibration.expectedCalibrationError()).isCloseTo(confidence - 2 / 3.0, within(1e-12));
    }

    @Test
    void agreementOfAModelWithItselfAndItsOpposite() {
        RewardModel opposite = RewardModels.of(e -> -Math.exp(Double.parseDouble(e.response())));
        PreferenceDataset dataset = PreferenceDataset.of(IntStream.range(0, 20)
                .mapToObj(i -> Ranking.ofPair(PROMPT, Double.toString(i * i % 7 + 0.1), Double.toString(i % 3)))
                .toList());
        RewardAgreement self = RewardAgreement.of(TASTE, TASTE, dataset);
        assertThat(self.pairAgreement()).isEqualTo(1);
        assertThat(self.pearson()).isCloseTo(1, within(1e-12));
        assertThat(self.responses()).isEqualTo(40);
        RewardAgreement against = RewardAgreement.of(TASTE, opposite, dataset);
        assertThat(against.pairAgreement()).isZero();
        assertThat(against.spearman()).isCloseTo(-1, within(1e-12));
        assertThat(against.pearson()).isBetween(-1.0, -0.5);
    }

    @Test
    void withoutComparisonsThereIsNothingToMeasure() {
        PreferenceDataset tied = PreferenceDataset.of(List.of(new Ranking(PROMPT, List.of("1", "2"), List.of(0, 0))));
        assertThatThrownBy(() -> RewardAccuracy.of(TASTE, tied))
                .hasMessageContaining("none of the 1 rankings holds a comparison");
        assertThatThrownBy(() -> RewardCalibration.of(TASTE, tied, 0)).hasMessageContaining("at least one bin");
    }
}
