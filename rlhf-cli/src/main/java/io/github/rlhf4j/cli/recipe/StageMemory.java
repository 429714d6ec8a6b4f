package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.preference.DpoConfig;
import io.github.rlhf4j.reward.training.RewardModelConfig;
import io.github.rlhf4j.transformer.MemoryEstimate;
import io.github.rlhf4j.transformer.generation.Generator;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.training.PretrainingConfig;
import io.github.rlhf4j.transformer.training.SftConfig;
import java.util.Comparator;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What each stage takes of the memory, foretold from its settings: all models it holds at the same time, with sequences as
 * long as the context and a tokenizer as large as it may become.
 *
 * @param responses most responses of a ranking that the reward model learns from, ≥ 2
 * @param base shape of the model that the run begins with; null where the configuration says it
 */
record StageMemory(
        RecipeConfig config, int responses, @Nullable TransformerConfig base) {

    // The most tokens of a pass that goes backward by default; it depends on nothing else that the defaults are asked
    // for.
    private static final int PRETRAINING_PASS = PretrainingConfig.defaults(1, 1).microBatchTokens();
    private static final int SFT_PASS = SftConfig.defaults(1, 2).microBatchTokens();
    private static final int REWARD_PASS = RewardModelConfig.instructGpt(1, 0).microBatchTokens();
    private static final int DPO_PASS = DpoConfig.defaults(1, 0).microBatchTokens();
    private static final int PPO_PASS = PpoConfig.of(1, new BatchPlan(1, 1), Sampling.exact(1, 1, Set.of()), 0)
            .microBatchTokens();

    /** The most that a stage holds at a time. */
    MemoryEstimate of(Stage stage) {
        return switch (stage) {
            case TOKENIZER -> MemoryEstimate.NOTHING;
            case PRETRAINING ->
                base == null
                        ? training(config.pretraining().batch(), 1, PRETRAINING_PASS)
                                .plus(scoring(pass(1, PRETRAINING_PASS)))
                        : learning(config.pretraining().batch(), 1, PRETRAINING_PASS)
                                .plus(start())
                                .plus(merged())
                                .plus(scoring(pass(1, PRETRAINING_PASS)));
            case SFT ->
                learning(config.sft().batch(), 1, SFT_PASS)
                        .plus(start())
                        .plus(merged())
                        .plus(scoring(pass(1, SFT_PASS)));
            case COMPARISONS ->
                config.data().preferences() == null ? frozen().plus(sampling()) : MemoryEstimate.NOTHING;
            case REWARD -> reward();
            case PPO -> ppo();
            case EVALUATION -> evaluation();
        };
    }

    /** The supervised model, the reward model in training, which is validated too, and the copy of it that is saved. */
    private MemoryEstimate reward() {
        return held().plus(learning(config.reward().batch(), responses, REWARD_PASS))
                .plus(scoring(REWARD_PASS))
                .plus(frozen());
    }

    /** Reference and reward model, policy, and a value function that is a model of its own or a head, then saved as a copy. */
    private MemoryEstimate ppo() {
        RecipeConfig.Ppo stage = config.ppo();
        boolean critic = config.algorithms().contains(Algorithm.PPO);
        MemoryEstimate learner = config.algorithms().stream()
                .map(algorithm -> algorithm.kind() == Algorithm.Kind.COMPARISONS
                        ? learning(config.dpo().batch(), responses, DPO_PASS)
                        : learning(
                                Math.max(stage.minibatch(), stage.ptxCoefficient() > 0 ? PolicyStage.PTX_SEQUENCES : 1),
                                1,
                                PPO_PASS))
                .max(Comparator.comparingLong(MemoryEstimate::offHeap))
                .orElseThrow();
        long rollout = (long) stage.rollout() * config.model().context();
        MemoryEstimate judge = scoring(Math.min(rollout, pass(1, PPO_PASS)));
        MemoryEstimate values = stage.sharedTrunk() || !critic
                ? frozen()
                : learning(stage.minibatch(), 1, PPO_PASS).plus(judge);
        MemoryEstimate rewardModel = frozen().plus(scoring(rollout));
        return learner.plus(samplingOfLearner())
                .plus(stage.sharedTrunk() ? MemoryEstimate.NOTHING : merged())
                .plus(values)
                .plus(held().plus(judge))
                .plus(rewardModel);
    }

    /** The pretrained, the supervised and the optimised model and the reward model; two of them sample, and all score. */
    private MemoryEstimate evaluation() {
        RecipeConfig.Evaluation stage = config.evaluation();
        MemoryEstimate judge =
                scoring((long) stage.prompts() * stage.bestOf() * config.model().context());
        MemoryEstimate models = frozen().plus(judge).plus(frozen().plus(judge));
        return models.plus(frozen().plus(sampling())).plus(frozen().plus(sampling()));
    }

    private MemoryEstimate frozen() {
        return MemoryEstimate.frozen(model());
    }

    private MemoryEstimate scoring(long tokens) {
        return MemoryEstimate.scoring(model(), tokens);
    }

    private MemoryEstimate sampling() {
        return MemoryEstimate.generation(
                model(), Generator.DEFAULT_MAX_BATCH, config.model().context());
    }

    /** The model that adapters are put on; without adapters it is itself what learns. */
    private MemoryEstimate start() {
        return config.lora().isUsed() ? held() : MemoryEstimate.NOTHING;
    }

    /** A frozen model in what its weights are held in. */
    private MemoryEstimate held() {
        return MemoryEstimate.frozen(model(), config.lora().base());
    }

    /** The model with its adapters merged, while it is saved. */
    private MemoryEstimate merged() {
        MemoryEstimate copy = config.lora().isUsed() ? frozen() : MemoryEstimate.NOTHING;
        return config.lora().int8() ? copy.plus(frozen()) : copy; // on the weights as they were
    }

    private MemoryEstimate samplingOfLearner() {
        return config.lora().isUsed()
                ? MemoryEstimate.generation(
                        model(),
                        config.lora().of(model()),
                        config.lora().base(),
                        Generator.DEFAULT_MAX_BATCH,
                        config.model().context())
                : sampling();
    }

    /** All weights, or adapters on a model that is counted already; of a batch of so many examples. */
    private MemoryEstimate learning(long examples, long sequences, int ofStage) {
        return config.lora().isUsed()
                ? MemoryEstimate.lora(
                        model(),
                        config.lora().of(model()),
                        tokens(examples, sequences, ofStage),
                        config.memory().recomputation())
                : training(examples, sequences, ofStage);
    }

    private MemoryEstimate training(long examples, long sequences, int ofStage) {
        return MemoryEstimate.training(
                model(), tokens(examples, sequences, ofStage), config.memory().recomputation());
    }

    /** Of a pass over a batch of so many examples, each of so many sequences. */
    private long tokens(long examples, long sequences, int ofStage) {
        long batch = examples * sequences * config.model().context();
        return Math.min(batch, pass(sequences, ofStage));
    }

    /** The most tokens of a pass, which does not cut an example of so many sequences. */
    private long pass(long sequences, int ofStage) {
        return Math.max(sequences * config.model().context(), config.memory().tokensOr(ofStage));
    }

    private TransformerConfig model() {
        if (base != null) {
            return base;
        }
        return config.model().shape();
    }
}
