package io.github.rlhf4j.ppo.math;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rlhf4j.core.test.SharedData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Each part of {@code rl-math.json} is named by a test of some module, or stands here with the reason why not. That a test which
 * names a number also compares it this does not show; changing the 665 numbers one at a time did, on 2026-11-27: the golden
 * tests of rlhf-ppo, rlhf-reward and rlhf-transformer noticed each, save what stands here, masked slots, and inputs that a clip or
 * a cast to whole numbers hides.
 */
class GoldenCoverageTest {

    private static final Map<String, String> NOT_REPRODUCED = Map.ofEntries(
            Map.entry(
                    "gae_interior_gap/zeroed",
                    "gaps do not exist in ragged rows; the carried estimate is the right one"),
            Map.entry("kl_estimators_nemo_rl/k3_clamped10", "not offered: a clamp hides what a guard should see"),
            Map.entry("kl_trl_row/abs", "not offered: |K1| is no estimate of a KL"),
            Map.entry("value_loss/rl4lms_mse_of_clipped", "not offered: without the max, clipping can lower the loss"),
            Map.entry("dpo_family/delta", "an input of the others, β·δ"),
            Map.entry("orpo/log_odds", "inside minus_logsig"),
            Map.entry("adam_eps/tf_and_nd4j", "not offered: ε beside the uncorrected root"),
            Map.entry("adam_eps/nd4j_lr0_first_step", "a fault of ND4J's Adam, which is not used"),
            Map.entry("adam_eps/nd4j_lr0_raw", "a fault of ND4J's Adam, which is not used"),
            Map.entry(
                    "adam_eps/torch_lr0",
                    "zero: that a rate of 0 moves nothing is a test of the optimiser without golden"),
            Map.entry("top_p/probs", "an input of the others"),
            Map.entry("top_p/openai2019", "not offered: drops the token that crosses p"),
            Map.entry(
                    "shaping/openai2019_last_slot_no_mask",
                    "a window of fixed length: rows without padding, tested below"),
            Map.entry("shaping/trl_head_one_past_eos", "nothing exists after the stop token in a ragged row"),
            Map.entry("kl_controller_units/trlx_k3_wrong_way_seq_sum", "trlx's sign error"),
            Map.entry("kl_exact_expectations/E_trlx_exp_lr_1_lr", "trlx's sign error"),
            Map.entry("kl_exact_expectations/grad_note", "a sentence"),
            Map.entry("rm_normalise_gain_bias/old_mean", "inside gain and bias"),
            Map.entry("rm_normalise_gain_bias/old_std_biased", "inside gain and bias"),
            Map.entry("overlong_max110_buf20/lengths", "the keys of the others"));

    /** Keys that a test puts together: {@code "kl=" + kl}. */
    private static final Set<String> COMPOSED = Set.of(
            "adaptive_kl_openai/kl=3.0",
            "adaptive_kl_openai/kl=6.0",
            "adaptive_kl_openai/kl=6.3",
            "adaptive_kl_openai/kl=12.0",
            "dpo_family/kto_kl0_chosen",
            "dpo_family/kto_kl0_rejected",
            "kl_exact_expectations/E_k1",
            "kl_exact_expectations/E_k2",
            "kl_exact_expectations/E_k3",
            "best_of_n_kl_log_n_minus/1",
            "best_of_n_kl_log_n_minus/2",
            "best_of_n_kl_log_n_minus/4",
            "best_of_n_kl_log_n_minus/16",
            "best_of_n_kl_log_n_minus/64");

    @Test
    void everyNumberIsReproducedOrHasAReason() throws IOException {
        JsonNode goldens = new ObjectMapper()
                .readTree(SharedData.file("goldens/rl-math.json").toFile());
        List<String> sources = sourcesThatUseGoldens();
        Set<String> missing = new TreeSet<>();
        goldens.properties().forEach(entry -> {
            String name = entry.getKey();
            String using = sources.stream()
                    .filter(source -> source.contains("\"" + name + "\""))
                    .collect(Collectors.joining());
            if (using.isEmpty()) {
                missing.add(name);
            }
            entry.getValue().properties().forEach(part -> {
                String path = name + "/" + part.getKey();
                if (!mentions(using, part.getKey()) && !COMPOSED.contains(path)) {
                    missing.add(path);
                }
            });
        });
        assertThat(missing).isEqualTo(new TreeSet<>(NOT_REPRODUCED.keySet()));
    }

    /** OpenAI's window of 2019 has no mask: all of its six slots are tokens, and the last one carries the score. */
    @Test
    void aWindowWithoutAMaskIsARowOfThatLength() {
        JsonNode golden = Goldens.of("shaping");
        double[][] kl = KlEstimator.K1.values(Goldens.rows(golden.get("logp")), Goldens.rows(golden.get("ref")));
        double[][] rewards = RewardShaping.perToken(Goldens.row(golden.get("score")), kl, 0.1);
        double[][] expected = Goldens.rows(golden.get("openai2019_last" + "_slot_no_mask"));
        for (int i = 0; i < expected.length; i++) {
            assertThat(rewards[i]).containsExactly(expected[i], Goldens.ROUNDING);
        }
    }

    /** In quotes, or as a word of a parameterised test's table. */
    private static boolean mentions(String source, String key) {
        return source.contains("\"" + key + "\"")
                || source.contains(", " + key + "\"")
                || source.contains(", " + key + ",");
    }

    private static List<String> sourcesThatUseGoldens() throws IOException {
        List<String> sources = new ArrayList<>();
        try (Stream<Path> modules = Files.list(Path.of(".."))) {
            for (Path tests : modules.map(module -> module.resolve("src/test/java"))
                    .filter(Files::isDirectory)
                    .toList()) {
                try (Stream<Path> files = Files.walk(tests)) {
                    for (Path file : files.filter(
                                    f -> f.toString().endsWith(".java") && !f.endsWith("GoldenCoverageTest.java"))
                            .toList()) {
                        String source = Files.readString(file);
                        if (source.contains("oldens")) {
                            sources.add(source);
                        }
                    }
                }
            }
        }
        return sources;
    }
}
