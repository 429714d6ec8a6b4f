package io.github.rlhf4j.cli.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.ppo.AdvantageSettings;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.Dialect;
import io.github.rlhf4j.ppo.GuardSettings;
import io.github.rlhf4j.ppo.LossSettings;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.RewardSettings;
import io.github.rlhf4j.ppo.group.GroupAlgorithm;
import io.github.rlhf4j.ppo.group.GroupConfig;
import io.github.rlhf4j.ppo.math.Aggregation;
import io.github.rlhf4j.ppo.math.ClippedPolicyLoss;
import io.github.rlhf4j.ppo.math.KlController;
import io.github.rlhf4j.ppo.math.KlEstimator;
import io.github.rlhf4j.ppo.math.KlPenalty;
import io.github.rlhf4j.ppo.math.KlUnit;
import io.github.rlhf4j.ppo.math.MissingStop;
import io.github.rlhf4j.ppo.math.RolloutCorrection;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What the section {@code ppo} comes to in the trainers' own configurations. */
class TrainerConfigsTest {

    /** Settings together, and what they must come to. */
    private record Case<C>(String settings, Function<C, Object> found, Object expected) {

        @Override
        public String toString() {
            return settings;
        }
    }

    private static RecipeConfig with(String settings) {
        Map<String, String> map = new LinkedHashMap<>();
        for (String setting : settings.split(" ")) {
            map.put("ppo." + setting.split("=", 2)[0], setting.split("=", 2)[1]);
        }
        return ConfigFiles.set(TinyRun.config(), map);
    }

    private static TrainerConfigs configs(RecipeConfig config, Algorithm algorithm) {
        return new TrainerConfigs(config, algorithm, Set.of(1));
    }

    private static PpoConfig ppo(RecipeConfig config) {
        return configs(config, Algorithm.PPO).ppo();
    }

    private static GroupConfig group(RecipeConfig config, Algorithm algorithm) {
        return configs(config, algorithm).group();
    }

    private static Case<PpoConfig> ppo(String settings, Function<PpoConfig, Object> found, Object expected) {
        return new Case<>(settings, found, expected);
    }

    static Stream<Case<PpoConfig>> eachSettingReachesPpo() {
        return Stream.of(
                ppo("rewards.missingStop=add", c -> c.rewards().missingStop(), new MissingStop.Penalty(2)),
                ppo("rewards.missingStop=keep", c -> c.rewards().missingStop(), new MissingStop.Keep()),
                ppo("rewards.scoreLimit=5", c -> c.rewards().scoreLimit(), 5.0),
                ppo("rewards.whiten=true", c -> c.rewards().whiten(), true),
                ppo(
                        "rewards.scaling=running_deviation",
                        c -> c.rewards().scaling(),
                        RewardSettings.Scaling.RUNNING_DEVIATION),
                ppo(
                        "klController=halving_doubling",
                        c -> c.rewards().kl(),
                        new KlController.HalvingDoubling(0.05, 6, KlUnit.PER_SEQUENCE)),
                ppo(
                        "klUnit=per_token",
                        c -> c.rewards().kl(),
                        new KlController.Adaptive(0.05, 6, 1000, KlUnit.PER_TOKEN)),
                ppo("klTarget=0", c -> c.rewards().kl(), new KlController.Fixed(0.05)),
                ppo("advantages.gamma=0.9", c -> c.advantages().gamma(), 0.9),
                ppo("advantages.lambda=0.8", c -> c.advantages().lambda(), 0.8),
                ppo("advantages.whiten=false", c -> c.advantages().whiten(), false),
                ppo("advantages.divisor=n_minus_1", c -> c.advantages().divisor(), AdvantageSettings.Divisor.N_MINUS_1),
                ppo("losses.clipLow=0.1", c -> c.losses().policy(), new ClippedPolicyLoss(0.1, 0.2, 0)),
                ppo("losses.clipHigh=0.28", c -> c.losses().policy(), new ClippedPolicyLoss(0.2, 0.28, 0)),
                ppo("losses.dualClip=3", c -> c.losses().policy(), new ClippedPolicyLoss(0.2, 0.2, 3)),
                ppo("losses.valueClip=0.5", c -> c.losses().value().clip(), 0.5),
                ppo("losses.valueCoefficient=1", c -> c.losses().valueCoefficient(), 1.0),
                ppo("losses.entropyCoefficient=0.01", c -> c.losses().entropyCoefficient(), 0.01),
                ppo("losses.klEstimator=k2", c -> c.losses().kl(), new KlPenalty.Estimated(KlEstimator.K2, 0)),
                ppo(
                        "losses.klEstimator=exact losses.klCoefficient=0.1",
                        c -> c.losses().kl(),
                        new KlPenalty.Exact(0.1)),
                ppo("losses.klCoefficient=0.04", c -> c.losses().kl(), new KlPenalty.Estimated(KlEstimator.K3, 0.04)),
                ppo("losses.aggregation=sequence_mean", c -> c.losses().aggregation(), Aggregation.SEQUENCE_MEAN),
                ppo("losses.valueWarmup=2", c -> c.losses().valueWarmup(), 2),
                ppo("approximateKlLimit=0.02", c -> c.guards().approximateKlLimit(), 0.02),
                ppo("int8Sampler=true", c -> c.advantages().correction(), new RolloutCorrection.TokenTruncated(2)),
                ppo(
                        "int8Sampler=true correction.rule=sequence_truncated correction.high=3",
                        c -> c.advantages().correction(),
                        new RolloutCorrection.SequenceTruncated(3)),
                ppo(
                        "int8Sampler=true correction.rule=token_masked correction.low=0.7",
                        c -> c.advantages().correction(),
                        new RolloutCorrection.TokenMasked(0.7, 2)),
                ppo(
                        "int8Sampler=true correction.rule=sequence_masked",
                        c -> c.advantages().correction(),
                        new RolloutCorrection.SequenceMasked(0.5, 2)),
                ppo("dialect=deepspeed_chat", c -> c.rewards().scoreLimit(), 5.0));
    }

    @ParameterizedTest
    @MethodSource
    void eachSettingReachesPpo(Case<PpoConfig> changed) {
        assertThat(changed.found().apply(ppo(with(changed.settings())))).isEqualTo(changed.expected());
        assertThat(changed.found().apply(ppo(TinyRun.config()))).isNotEqualTo(changed.expected());
    }

    /** What was there before sections were, of which other tests speak, aside. */
    @Test
    void noSettingIsForgottenAbove() {
        Set<String> tried = eachSettingReachesPpo()
                .flatMap(changed -> Arrays.stream(changed.settings().split(" ")))
                .map(setting -> setting.split("=")[0])
                .collect(Collectors.toSet());
        RecordComponent[] all = RecipeConfig.Ppo.class.getRecordComponents();
        List<String> keys = Arrays.stream(all)
                .skip(Arrays.stream(all).map(RecordComponent::getName).toList().indexOf("dialect"))
                .flatMap(component -> component.getType().isRecord()
                        ? Arrays.stream(component.getType().getRecordComponents())
                                .map(part -> component.getName() + "." + part.getName())
                        : Stream.of(component.getName()))
                .toList();

        assertThat(keys).hasSizeGreaterThan(20);
        assertThat(tried).containsAll(keys);
    }

    /** The defaults are the library's: nothing is set twice. */
    @Test
    void withoutThemTheConfigurationIsWhatItWas() {
        RecipeConfig run = TinyRun.config();
        RewardSettings rewards = RewardSettings.defaults()
                .withKl(new KlController.Adaptive(0.05, 6, 1000, KlUnit.PER_SEQUENCE))
                .withMissingStop(new MissingStop.FixedScore(-2));
        Sampling sampling = Sampling.exact(16, 1, Set.of(1));
        LearningRateSchedule rate = new LearningRateSchedule.WarmupLinear(1e-3, 0, 4);
        long ppoSeed = LanguageStages.seed(run, Algorithm.PPO);
        long gspoSeed = LanguageStages.seed(run, Algorithm.GSPO);

        assertThat(ppo(run))
                .isEqualTo(PpoConfig.of(4, new BatchPlan(8, 4), sampling, ppoSeed)
                        .withEpochs(2)
                        .withLosses(LossSettings.defaults().withPtx(0, 8))
                        .withRewards(rewards)
                        .withGuards(GuardSettings.defaults())
                        .withRates(rate, rate));
        assertThat(group(run, Algorithm.GSPO))
                .isEqualTo(GroupConfig.of(4, new BatchPlan(8, 4), 2, sampling, GroupAlgorithm.gspo(), gspoSeed)
                        .withEpochs(2)
                        .withRewards(rewards)
                        .withRate(rate));
    }

    private record GroupCase(Algorithm algorithm, Case<GroupConfig> settings) {}

    private static GroupCase group(
            Algorithm algorithm, String settings, Function<GroupConfig, Object> found, Object expected) {
        return new GroupCase(algorithm, new Case<>(settings, found, expected));
    }

    static Stream<GroupCase> settingsOfGroups() {
        Function<GroupConfig, Object> loss = c -> c.algorithm().loss();
        Function<GroupConfig, Object> lossKl = c -> c.algorithm().lossKl();
        String clip = "losses.clipLow=0.1 losses.dualClip=3";
        return Stream.of(
                group(Algorithm.GRPO, clip, loss, new ClippedPolicyLoss(0.1, 0.2, 3)),
                group(Algorithm.DAPO, clip, loss, new ClippedPolicyLoss(0.1, 0.28, 3)),
                group(Algorithm.GSPO, clip, loss, GroupAlgorithm.gspo().loss()),
                group(Algorithm.CISPO, clip, loss, GroupAlgorithm.cispo().loss()),
                group(Algorithm.RLOO, clip, loss, GroupAlgorithm.rloo().loss()),
                group(Algorithm.GRPO, "klTarget=6", lossKl, new KlPenalty.Estimated(KlEstimator.K3, 0.05)),
                group(
                        Algorithm.GRPO,
                        "losses.klEstimator=k2 losses.klCoefficient=0.25",
                        lossKl,
                        new KlPenalty.Estimated(KlEstimator.K2, 0.25 + 0.05)),
                group(Algorithm.GRPO, "losses.klEstimator=exact", lossKl, new KlPenalty.Exact(0.05)),
                group(
                        Algorithm.RLOO,
                        "losses.klCoefficient=0.25",
                        lossKl,
                        new KlPenalty.Estimated(KlEstimator.K3, 0.25)),
                group(
                        Algorithm.DR_GRPO,
                        "losses.aggregation=token_mean",
                        c -> c.algorithm().aggregation(),
                        Aggregation.TOKEN_MEAN),
                group(Algorithm.DR_GRPO, "dialect=verl", c -> c.algorithm().aggregation(), Aggregation.CONSTANT_LENGTH),
                group(
                        Algorithm.RLOO,
                        "int8Sampler=true",
                        c -> c.algorithm().correction(),
                        new RolloutCorrection.TokenTruncated(2)),
                group(Algorithm.RLOO, "rewards.scoreLimit=5", c -> c.rewards().scoreLimit(), 5.0),
                group(Algorithm.RLOO, "rewards.whiten=true", c -> c.rewards().whiten(), false),
                group(Algorithm.DAPO, "approximateKlLimit=0.02", c -> c.guards().approximateKlLimit(), 0.02));
    }

    @ParameterizedTest
    @MethodSource
    void settingsOfGroups(GroupCase changed) {
        Case<GroupConfig> settings = changed.settings();
        assertThat(settings.found().apply(group(with(settings.settings()), changed.algorithm())))
                .isEqualTo(settings.expected());
    }

    @Test
    void onlineDpoHasTheRuleForMissingStopsAndNoLimitOfPolicyGradients() {
        RecipeConfig config = with("rewards.missingStop=add approximateKlLimit=0.02 klBudget=3");

        assertThat(configs(config, Algorithm.ONLINE_DPO).onlineDpo().missingStop())
                .isEqualTo(new MissingStop.Penalty(2));
        assertThat(configs(config, Algorithm.ONLINE_DPO).onlineDpo().guards())
                .isEqualTo(GuardSettings.defaults().withKlBudget(3));
    }

    // Dialects

    @ParameterizedTest
    @EnumSource
    void aDialectIsTheLibrarys(Dialect dialect) {
        RecipeConfig spoken = with("dialect=" + dialect.name().toLowerCase(Locale.ROOT));

        assertThat(ppo(spoken)).isEqualTo(dialect.applyTo(ppo(TinyRun.config())));
        assertThat(spoken.ppo().dialect()).isEqualTo(dialect);
    }

    @Test
    void whatIsSetBesideADialectStands(@TempDir Path directory) throws IOException {
        Path file = Files.writeString(
                directory.resolve("my.yaml"), "ppo: {klCoefficient: 0.5, dialect: openrlhf, losses: {valueClip: 0.3}}");
        RecipeConfig flags = ConfigFiles.set(TinyRun.config(), "ppo", "{klCoefficient: 0.5, dialect: openrlhf}");
        RecipeConfig both = ConfigFiles.change(TinyRun.config(), file, Map.of("ppo.dialect", "trl"));

        assertThat(flags.ppo().klCoefficient()).isEqualTo(0.5);
        assertThat(flags.ppo().advantages().lambda()).isEqualTo(1);
        assertThat(both.ppo().klCoefficient()).isEqualTo(0.5);
        assertThat(both.ppo().losses().valueClip()).isEqualTo(0.3);
        assertThat(both.ppo().klTarget()).isEqualTo(6);
        assertThat(both.ppo().advantages().lambda()).isEqualTo(0.95);
    }

    @Test
    void aDialectThatARunHasAlreadyChangesNothingAgain(@TempDir Path directory) throws IOException {
        RecipeConfig begun = with("dialect=trl losses.clipLow=0.1 losses.aggregation=sequence_sum klCoefficient=0.3");
        Path stored = Files.writeString(directory.resolve("config.yaml"), ConfigFiles.write(begun));

        assertThat(ConfigFiles.read(stored, RecipePresets.standard())).isEqualTo(begun);
        assertThat(ConfigFiles.set(begun, "ppo.dialect", "trl")).isEqualTo(begun);
        assertThatThrownBy(() -> ConfigFiles.set(begun, "ppo.dialect", "null"))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("ppo.dialect has no value");
    }

    // Errors

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "dialect=esperanto | ppo.dialect does not fit: it must be openai_2019 or trl or",
                "klController=pid | ppo.klController does not fit: it must be adaptive or halving_doubling",
                "rewards.scaling=log | ppo.rewards.scaling does not fit: it must be none or running_deviation",
                "losses.clip=1 | there is no setting ppo.losses.clip; did you mean",
                "rewards.scoreLimit=-1 | ppo.rewards.scoreLimit must be ≥ 0 (0 is off) and finite, got -1.0",
                "advantages.gamma=1.5 | ppo.advantages.gamma must lie in [0, 1], got 1.5",
                "advantages.lambda=-0.1 | ppo.advantages.lambda must lie in [0, 1], got -0.1",
                "losses.clipLow=1 | ppo.losses.clipLow must lie in (0, 1), or be 0 for the algorithm's own, got 1.0",
                "losses.clipHigh=1e999 | ppo.losses.clipHigh must be positive, or 0 for the algorithm's own, and finite",
                "losses.dualClip=0.5 | ppo.losses.dualClip must be above 1, or 0 for none, and finite, got 0.5",
                "losses.valueClip=-0.1 | ppo.losses.valueClip must be ≥ 0 (0 is off)",
                "losses.valueCoefficient=-1 | ppo.losses.valueCoefficient must be ≥ 0 and finite, got -1.0",
                "losses.entropyCoefficient=-1 | ppo.losses.entropyCoefficient must be ≥ 0",
                "losses.klCoefficient=1e999 | ppo.losses.klCoefficient must be ≥ 0 (0 is none) and finite, got Infinity",
                "losses.klEstimator=k1 | ppo.losses.klEstimator does not fit: it must be k2 or k3 or exact",
                "losses.aggregation= | --set ppo.losses.aggregation has no value",
                "dialect= | --set ppo.dialect has no value",
                "losses.valueWarmup=-1 | ppo.losses.valueWarmup must be ≥ 0 (0 is off), got -1",
                "losses.valueWarmup=4 | ppo.losses.valueWarmup must be below ppo.iterations, or the policy is never",
                "losses.valueWarmup=1 sharedTrunk=true | ppo.losses.valueWarmup must be 0 with ppo.sharedTrunk",
                "int8Sampler=true sharedTrunk=true | ppo.int8Sampler must be false with ppo.sharedTrunk",
                "klCoefficient=0 | ppo.klCoefficient must be above 0 with a ppo.klTarget",
                "approximateKlLimit=-1 | ppo.approximateKlLimit must be ≥ 0 (0 is none) and finite, got -1.0",
                "correction.low=0 | ppo.correction.low must lie in (0, 1], got 0.0",
                "correction.high=0.9 | ppo.correction.high must be ≥ 1 and finite, got 0.9"
            })
    void aValueOutOfItsRangeIsRefusedNamingKeyRuleAndValue(String settings, String message) {
        assertThatThrownBy(() -> with(settings))
                .isInstanceOf(InputException.class)
                .hasMessageContaining(message);
    }
}
