package io.github.rlhf4j.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.transformer.tokenizer.CharacterTokenizer;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class DigitCompletionTest {

    /** verl's {@code compute_reward}, summed over the response, as run for PEERS §5. */
    @Test
    void theRewardsAreTheirs() {
        assertThat(DigitCompletion.prefixReward("9,10:20,2", "11,12,13")).isCloseTo(0.8333, within(5e-5));
        assertThat(DigitCompletion.prefixReward("1,3:9,3", "5,7,1")).isCloseTo(0.6667, within(5e-5));
        assertThat(DigitCompletion.prefixReward("7,8:20,0", "")).isZero();
        assertThat(DigitCompletion.prefixReward("7,8:20,0", "000")).isZero();
    }

    @Test
    void theAnswerGoesOnModuloTheGivenNumber() {
        assertThat(DigitCompletion.answer("9,10:20,2")).isEqualTo("11,12");
        assertThat(DigitCompletion.answer("1,3:9,3")).isEqualTo("5,7,0");
        assertThat(DigitCompletion.answer("8,2:9,4")).isEqualTo("5,8,2,5");
        assertThat(DigitCompletion.answer("9,0:9,2")).isEqualTo("0,0");
        assertThat(DigitCompletion.answer("7,8:20,0")).isEmpty();
        assertThatThrownBy(() -> DigitCompletion.answer("7,8")).hasMessageContaining("first,second:modulus,count");
    }

    @Test
    void onlyTheWholeAnswerAndItsEndEarnsAllOfTheReward() {
        assertThat(DigitCompletion.reward("1,3:9,3", "5,7,0")).isEqualTo(1);
        assertThat(DigitCompletion.reward("7,8:9,0", "")).isEqualTo(1);
        assertThat(DigitCompletion.reward("7,8:9,0", "0")).isZero();
        assertThat(DigitCompletion.reward("1,3:9,3", "")).isZero();
        assertThat(DigitCompletion.reward("1,3:9,3", "5,7,1")).isCloseTo(4.0 / 6, within(1e-12));
        assertThat(DigitCompletion.reward("1,3:9,3", "5,7,0,")).isCloseTo(5.0 / 6, within(1e-12));
        assertThat(DigitCompletion.reward("1,3:9,3", "5,7")).isCloseTo(4.0 / 6, within(1e-12));
        assertThat(DigitCompletion.reward("1,3:9,3", "5S7")).isEqualTo(1.0 / 6);
    }

    @Test
    void theRewardModelReadsPromptAndResponse() {
        List<Exchange> batch = List.of(Exchange.of("1,3:9,3", "5,7,1"), Exchange.of("1,3:9,3", "5,7,0"));
        assertThat(DigitCompletion.rewardModel().score(batch)).containsExactly(4.0 / 6, 1.0);
    }

    @Test
    void eachTokenIsPaidForWhatItEarned() {
        double sixth = 1.0 / 6;
        assertThat(DigitCompletion.tokenRewards("1,3:9,3", "5,7,0", 6)).containsOnly(sixth);
        assertThat(DigitCompletion.tokenRewards("1,3:9,3", "5S7", 4)).containsExactly(sixth, 0, 0, 0);
        assertThat(DigitCompletion.tokenRewards("1,3:9,3", "", 1)).containsExactly(0);
        assertThat(DigitCompletion.tokenRewards("7,8:9,0", "", 1)).containsExactly(1);
    }

    @Test
    void thereAreSixteenSymbolsAndAThousandPromptsThatFitWithTheirAnswers() {
        CharacterTokenizer tokenizer = DigitCompletion.tokenizer();
        List<Prompt> prompts = DigitCompletion.prompts(tokenizer);

        assertThat(tokenizer.vocabularySize()).isEqualTo(16);
        assertThat(prompts).hasSize(1000).allSatisfy(prompt -> {
            assertThat(prompt.tokens().length()).isLessThanOrEqualTo(16);
            assertThat(DigitCompletion.answer(prompt.conversation().lastUserText()))
                    .hasSizeLessThan(DigitCompletion.LONGEST_RESPONSE);
        });
    }

    /** verl's pass mark for its own test. */
    @Test
    @Tag("slow")
    void ppoFromRandomWeightsPassesTheirMark() {
        DigitCompletionBenchmark.Result result =
                DigitCompletionBenchmark.run(DigitCompletionBenchmark.Settings.PASSING, System.out);

        assertThat(result.best()).isGreaterThan(DigitCompletionBenchmark.PASS_MARK);
        assertThat(result.worstOnPolicyError()).isLessThan(1e-3);
    }
}
