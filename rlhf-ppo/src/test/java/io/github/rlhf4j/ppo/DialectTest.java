package io.github.rlhf4j.ppo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.ppo.math.GeneralizedAdvantages;
import io.github.rlhf4j.ppo.math.Goldens;
import io.github.rlhf4j.ppo.math.MissingStop;
import io.github.rlhf4j.ppo.math.RewardShaping;
import io.github.rlhf4j.ppo.math.Whitening;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each dialect on one set of inputs; the figures are the peers' own and the goldens'. */
class DialectTest {

    private static final PpoConfig CONFIG = PpoConfig.of(3, new BatchPlan(4, 2), Sampling.exact(4, 1, Set.of(2)), 1);

    /**
     * Advantages of NeMo-RL's case (λ 0.95: 3.755, 2.9, 2; λ 1: 4, 3, 2), whitening of 1, 2, 3, 4 (largest entry), the loss of
     * the dual-clip golden's last token (40 without, 12 with), the value-loss golden (0.38 at 0.2, 0.268333 at 0.5), β after a
     * rollout of 512 sequences with 12 nats each, and what scores of 7 and, unstopped, of 3 count.
     */
    @ParameterizedTest
    @CsvSource({
        "OPENAI_2019,    3.755, 1.341641, 40, 0.38,     0.151536, 7, -1",
        "TRL,            3.755, 1.161895, 40, 0.38,     0.202048, 7, 3",
        "OPENRLHF,       4,     1.341641, 40, 0.268333, 0.01,     7, 3",
        "VERL,           4,     1.161895, 12, 0.268333, 0.001,    7, 3",
        "DEEPSPEED_CHAT, 3.755, 4,        40, 0.38,     0.1,      5, 3",
        "INSTRUCT_GPT,   3.755, 1.341641, 40, 0.38,     0.02,     7, 3"
    })
    void computesAsItsSystem(
            Dialect dialect,
            double firstAdvantage,
            double whitened,
            double worstTokenLoss,
            double valueLoss,
            double nextCoefficient,
            double scoreOfSeven,
            double scoreOfThreeUnstopped) {
        PpoConfig config = dialect.applyTo(CONFIG);
        AdvantageSettings advantages = config.advantages();
        assertThat(GeneralizedAdvantages.estimate(
                                new double[][] {{0, 0, 5}},
                                new double[][] {{1, 2, 3}},
                                advantages.gamma(),
                                advantages.lambda())
                        .advantages()[0][0])
                .isCloseTo(firstAdvantage, Goldens.ROUNDING);
        assertThat(whiten(advantages, new double[][] {{1, 2, 3, 4}})[0][3]).isCloseTo(whitened, Goldens.ROUNDING);
        assertThat(config.losses()
                        .policy()
                        .evaluate(
                                new double[][] {{-0.69741}},
                                new double[][] {{-3}},
                                new double[][] {{-4}},
                                new double[] {1})
                        .loss())
                .isCloseTo(worstTokenLoss, offset(1e-3)); // the golden's inputs have five decimals
        JsonNode value = Goldens.of("value_loss");
        assertThat(config.losses()
                        .value()
                        .evaluate(
                                Goldens.one(value.get("vpred")),
                                Goldens.one(value.get("old")),
                                Goldens.one(value.get("ret")),
                                new double[] {1.0 / 3})
                        .loss())
                .isCloseTo(valueLoss, Goldens.ROUNDING);
        RewardSettings rewards = config.rewards();
        assertThat(rewards.kl().next(rewards.kl().initialCoefficient(), 12, 512))
                .isCloseTo(nextCoefficient, Goldens.ROUNDING);
        assertThat(counted(rewards, 7, true)).isEqualTo(scoreOfSeven);
        assertThat(counted(rewards, 3, false)).isEqualTo(scoreOfThreeUnstopped);
    }

    private static double[][] whiten(AdvantageSettings settings, double[][] x) {
        if (!settings.whiten()) {
            return x;
        }
        return settings.divisor() == AdvantageSettings.Divisor.N
                ? Whitening.standardize(x)
                : Whitening.standardizeUnbiased(x);
    }

    private static double counted(RewardSettings settings, double score, boolean stopped) {
        double limit = settings.scoreLimit();
        double[][] scores = {{score}};
        double[][] limited = limit > 0 ? RewardShaping.clip(scores, limit) : scores;
        return RewardShaping.applyMissingStop(limited, new boolean[] {stopped}, settings.missingStop())[0][0];
    }

    @Test
    void onlyTheirOwnConventionsAreSet() {
        for (Dialect dialect : Dialect.values()) {
            PpoConfig config = dialect.applyTo(CONFIG);
            assertThat(config.withRewards(CONFIG.rewards())
                            .withAdvantages(CONFIG.advantages())
                            .withLosses(CONFIG.losses()))
                    .isEqualTo(CONFIG);
            assertThat(config.losses().ptxCoefficient()).isEqualTo(dialect == Dialect.INSTRUCT_GPT ? 27.8 : 0);
            assertThat(config.rewards().whiten()).isEqualTo(dialect == Dialect.OPENAI_2019);
        }
    }

    @Test
    void whereNothingCanStopTheRuleIsLeftOut() {
        PpoConfig endless = PpoConfig.of(3, new BatchPlan(4, 2), Sampling.exact(4, 1, Set.of()), 1);
        assertThat(Dialect.OPENAI_2019.applyTo(endless).rewards().missingStop()).isEqualTo(new MissingStop.Keep());
    }
}
