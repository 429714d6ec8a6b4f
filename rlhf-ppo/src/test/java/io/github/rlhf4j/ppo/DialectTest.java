package io.github.rlhf4j.ppo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.ppo.ScriptedRollout.Script;
import io.github.rlhf4j.ppo.math.Goldens;
import io.github.rlhf4j.ppo.math.MissingStop;
import io.github.rlhf4j.ppo.math.Ragged;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Set;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Each dialect as a whole: one rollout goes the trainer's own way, and rewards, advantages, returns, losses, gradients and
 * the next β are those that the system's own functions gave. Where they are from, {@code dialects/goldens.json} says.
 */
class DialectTest {

    private static final JsonNode GOLDENS = goldens();
    private static final Script SCRIPT = script(GOLDENS.get("rollout"));
    private static final PpoConfig CONFIG = PpoConfig.of(
            3, new BatchPlan(SCRIPT.size(), SCRIPT.size()), Sampling.exact(8, 1, Set.of(ScriptedRollout.STOP)), 1);

    private static JsonNode goldens() {
        try {
            return new ObjectMapper()
                    .readTree(
                            Path.of("src/test/resources/dialects/goldens.json").toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Script script(JsonNode rollout) {
        boolean[] stopped = new boolean[rollout.get("stopped").size()];
        for (int i = 0; i < stopped.length; i++) {
            stopped[i] = rollout.get("stopped").get(i).booleanValue();
        }
        return new Script(
                stopped,
                Goldens.row(rollout.get("scores")),
                Goldens.rows(rollout.get("logProbs")),
                Goldens.rows(rollout.get("referenceLogProbs")),
                Goldens.rows(rollout.get("newLogProbs")),
                Goldens.rows(rollout.get("values")),
                Goldens.rows(rollout.get("newValues")));
    }

    /**
     * All was computed in float64. verl's means divide by the number of tokens plus 1e-8, which is in its code but drowns in the
     * float32 it runs in; with eleven tokens that is one part in 10⁹ of mean and variance. OpenRLHF floors the variance at 1e-8
     * where we add as much, which parts us by 3e-10 here. The others agree to 1e-13.
     */
    private static Offset<Double> rounding(Dialect dialect) {
        return offset(dialect == Dialect.VERL ? 1e-8 : 1e-9);
    }

    @ParameterizedTest
    @EnumSource
    void rewardsAdvantagesAndReturnsAreItsSystems(Dialect dialect) {
        JsonNode golden = GOLDENS.get("dialects").get(dialect.name());
        PpoConfig config = dialect.applyTo(CONFIG);
        double[][] tokenScores = new double[SCRIPT.size()][];
        for (int i = 0; i < tokenScores.length; i++) {
            tokenScores[i] = new double[SCRIPT.logProbs()[i].length];
            tokenScores[i][tokenScores[i].length - 1] = SCRIPT.scores()[i];
        }

        Credit credit = Credit.of(
                config.rewards(),
                config.advantages(),
                RewardState.initial(config.rewards()).seeing(SCRIPT.scores()),
                new Judgement(SCRIPT.logProbs(), SCRIPT.referenceLogProbs(), SCRIPT.values(), tokenScores),
                SCRIPT.stopped());

        assertClose("rewards", credit.rewards(), golden.get("rewards"), 1, rounding(dialect));
        assertClose("advantages", credit.advantages(), golden.get("advantages"), 1, rounding(dialect));
        assertClose("returns", credit.returns(), golden.get("returns"), 1, rounding(dialect));
    }

    /** One update on the rollout, by a policy and a value function that have moved since, which the trainer is told to let pass. */
    @ParameterizedTest
    @EnumSource
    void lossesGradientsAndTheNextCoefficientAreItsSystems(Dialect dialect) {
        JsonNode golden = GOLDENS.get("dialects").get(dialect.name());
        PpoConfig config =
                dialect.applyTo(CONFIG).withEpochs(1).withGuards(CONFIG.guards().withOnPolicyTolerance(10));
        ScriptedRollout models = new ScriptedRollout(SCRIPT);
        PpoTrainer trainer = models.trainer(config);

        StepReport step = trainer.step();

        Offset<Double> rounding = rounding(dialect);
        assertThat(step.metric("ppo/policy_loss"))
                .isCloseTo(golden.get("policyLoss").doubleValue(), rounding);
        assertThat(step.metric("ppo/value_loss"))
                .isCloseTo(golden.get("valueLoss").doubleValue(), rounding);
        assertClose("policy gradient", models.policyGradients, golden.get("policyGradient"), 1, rounding);
        double coefficient = golden.get("valueCoefficient").doubleValue();
        assertClose("value gradient", models.valueGradients, golden.get("valueGradient"), coefficient, rounding);
        assertThat(trainer.klCoefficient())
                .isCloseTo(golden.get("nextKlCoefficient").doubleValue(), rounding);
    }

    private static void assertClose(
            String what, double[][] actual, JsonNode golden, double factor, Offset<Double> rounding) {
        double[][] expected = Goldens.rows(golden);
        assertThat(Ragged.lengths(actual)).as("lengths of " + what).isEqualTo(Ragged.lengths(expected));
        for (int i = 0; i < expected.length; i++) {
            for (int t = 0; t < expected[i].length; t++) {
                assertThat(actual[i][t])
                        .as("%s of token %d of response %d", what, t, i)
                        .isCloseTo(factor * expected[i][t], rounding);
            }
        }
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
        }
    }

    @Test
    void whereNothingCanStopTheRuleIsLeftOut() {
        PpoConfig endless = PpoConfig.of(3, new BatchPlan(4, 2), Sampling.exact(4, 1, Set.of()), 1);
        assertThat(Dialect.OPENAI_2019.applyTo(endless).rewards().missingStop()).isEqualTo(new MissingStop.Keep());
    }
}
