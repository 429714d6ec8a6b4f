package io.github.rlhf4j.reward.math;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rlhf4j.core.test.SharedData;
import io.github.rlhf4j.reward.ScoreNormalization;
import java.io.IOException;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Numbers that other people's libraries print for the same inputs. */
class RankingLossGoldenTest {

    private static final Offset<Double> SIX_DIGITS = within(5e-7);

    private static JsonNode goldens;

    @BeforeAll
    static void read() throws IOException {
        goldens = new ObjectMapper()
                .readTree(SharedData.file("goldens/rl-math.json").toFile());
    }

    @Test
    void bradleyTerryOfPairs() {
        JsonNode golden = goldens.get("bt");
        assertThat(lossOfPairs(AllPairsLoss.DEFAULT, golden)).isCloseTo(number(golden, "plain"), SIX_DIGITS);
        assertThat(lossOfPairs(AllPairsLoss.DEFAULT.withCentering(0.01), golden))
                .isCloseTo(number(golden, "center_0_01"), SIX_DIGITS);
    }

    @Test
    void marginsOfSinglePairs() {
        JsonNode golden = goldens.get("bt");
        double[][] pairs = pairs(golden);
        double[] margins = {0.1, 0.2};
        double loss = IntStream.range(0, 2)
                .mapToDouble(i -> AllPairsLoss.DEFAULT
                        .of(pairs[i], new int[] {0, 1}, (w, l) -> margins[i])
                        .loss())
                .average()
                .orElseThrow();
        assertThat(loss).isCloseTo(number(golden, "margin_0_1_0_2"), SIX_DIGITS);
    }

    @Test
    void fourResponsesInOrder() {
        JsonNode golden = goldens.get("k_wise_4");
        double[] scores = array(golden.get("scores_in_rank_order"));
        int[] ranks = {0, 1, 2, 3};
        assertThat(RankingLoss.instructGpt().of(scores, ranks).loss())
                .isCloseTo(number(golden, "instructgpt_pairs_mean"), SIX_DIGITS);
        assertThat(new PlackettLuceLoss().of(scores, ranks).loss())
                .isCloseTo(number(golden, "plackett_luce"), SIX_DIGITS);
    }

    @Test
    void bestOfFour() {
        JsonNode golden = goldens.get("best_of_4_ce");
        int[] ranks = {1, 1, 1, 1};
        ranks[golden.get("best").asInt()] = 0;
        assertThat(new BestOfKLoss().of(array(golden.get("scores")), ranks).loss())
                .isCloseTo(number(golden, "loss"), SIX_DIGITS);
    }

    @Test
    void gainAndBiasOfReferenceSamples() {
        JsonNode golden = goldens.get("rm_normalise_gain_bias");
        double[] raw = array(golden.get("raw_on_ref"));
        ScoreNormalization normalization = ScoreNormalization.standardizing(raw);
        assertThat(normalization.gain()).isCloseTo(number(golden, "gain"), SIX_DIGITS);
        assertThat(normalization.bias()).isCloseTo(number(golden, "bias"), SIX_DIGITS);
        assertThat(normalization.apply(raw)).containsExactly(array(golden.get("after")), SIX_DIGITS);
    }

    private static double lossOfPairs(RankingLoss loss, JsonNode golden) {
        return loss.evaluate(pairs(golden), new int[][] {{0, 1}, {0, 1}}).loss();
    }

    private static double[][] pairs(JsonNode golden) {
        double[] chosen = array(golden.get("chosen"));
        double[] rejected = array(golden.get("rejected"));
        return new double[][] {{chosen[0], rejected[0]}, {chosen[1], rejected[1]}};
    }

    private static double[] array(JsonNode node) {
        return StreamSupport.stream(node.spliterator(), false)
                .mapToDouble(JsonNode::asDouble)
                .toArray();
    }

    private static double number(JsonNode golden, String field) {
        assertThat(golden.has(field)).as(field).isTrue();
        return golden.get(field).asDouble();
    }
}
