package io.github.rlhf4j.cli.recipe;

import static io.github.rlhf4j.cli.recipe.SettingRules.require;
import static io.github.rlhf4j.cli.recipe.SettingRules.requireAtMost;
import static io.github.rlhf4j.cli.recipe.SettingRules.requireFinite;
import static io.github.rlhf4j.cli.recipe.SettingRules.requirePositive;

import io.github.rlhf4j.ppo.Dialect;
import io.github.rlhf4j.ppo.math.KlController;
import io.github.rlhf4j.ppo.math.KlUnit;
import io.github.rlhf4j.transformer.backend.ComputeBackend;
import io.github.rlhf4j.transformer.files.LoraDirectory;
import io.github.rlhf4j.transformer.kernels.WeightFormat;
import io.github.rlhf4j.transformer.model.LoraConfig;
import io.github.rlhf4j.transformer.model.LoraTarget;
import io.github.rlhf4j.transformer.model.Recomputation;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * All settings of a run of the whole recipe; the keys of its YAML file are the names here. {@link RecipePresets} has
 * those of whole runs.
 *
 * @param seed of all randomness
 * @param backend what to compute on
 * @param heldOutShare of the words, which no stage trains on and evaluation asks for, in (0, 1)
 * @param checkpointEvery steps between two checkpoints of a stage, ≥ 1
 * @param memory what memory the passes of training take
 * @param data the user's own files, in place of WordNet
 * @param base models that exist already, in place of those of the first stages
 * @param lora low-rank adapters, in place of training all weights
 * @param algorithms what optimises the policy, one after the other from the same start; chat and the main results are of the
 *     first
 * @param model shape of the transformer and its tokenizer
 * @param pretraining first stage: text
 * @param sft second stage: demonstrations
 * @param comparisons what the labeler is asked
 * @param reward third stage: the reward model
 * @param ppo fourth stage: policy optimisation, on rollouts
 * @param dpo the same, on comparisons
 * @param evaluation what is measured on held-out prompts
 */
public record RecipeConfig(
        long seed,
        ComputeBackend backend,
        double heldOutShare,
        int checkpointEvery,
        Memory memory,
        Data data,
        Base base,
        Lora lora,
        List<Algorithm> algorithms,
        Model model,
        Pretraining pretraining,
        Sft sft,
        Comparisons comparisons,
        Reward reward,
        Ppo ppo,
        Dpo dpo,
        Evaluation evaluation) {

    // Far above what these stages can do in a day, and small enough for sizes made of them to stay within 64 bits.
    private static final int MOST_VOCABULARY = 1_000_000;
    private static final int MOST_WIDTH = 16_384;
    private static final int MOST_LAYERS = 256;
    private static final int MOST_HEADS = 256;
    private static final int MOST_CONTEXT = 32_768;
    private static final int MOST_RANK = 1024;
    private static final int MOST_EPOCHS = 1000;
    private static final int MOST_ANSWERS = 1024;
    private static final int MOST_PROMPTS = 1_000_000;

    /** Tokens of a batch or rollout, whose ids and numbers are arrays on the heap. */
    private static final int MOST_TOKENS = 1 << 24;

    public RecipeConfig {
        require(heldOutShare > 0 && heldOutShare < 1, "heldOutShare must lie in (0, 1)", heldOutShare);
        require(checkpointEvery >= 1, "checkpointEvery must be at least 1", checkpointEvery);
        algorithms = List.copyOf(algorithms);
        require(
                !algorithms.isEmpty() && algorithms.stream().distinct().count() == algorithms.size(),
                "algorithms must name at least one, and none twice",
                algorithms);
        require(
                algorithms.stream().allMatch(algorithm -> algorithm.kind() == Algorithm.Kind.ACTOR_CRITIC)
                        || ppo.rollout() % ppo.groupSize() == 0 && ppo.minibatch() % ppo.groupSize() == 0,
                "ppo.groupSize must divide ppo.rollout and ppo.minibatch",
                ppo.groupSize());
        require(
                pretraining.steps() >= 1 || base.model() != null,
                "pretraining.steps must be at least 1 (0 is for a base.model that is pretrained already)",
                pretraining.steps());
        require(
                sft.epochs() >= 1 || base.model() != null,
                "sft.epochs must be at least 1 (0 is for a base.model that answers already)",
                sft.epochs());
        require(
                comparisons.maxNewTokens() < model.context() && ppo.maxNewTokens() < model.context(),
                "comparisons.maxNewTokens and ppo.maxNewTokens must leave room for a prompt in model.context ("
                        + model.context() + ")",
                Math.max(comparisons.maxNewTokens(), ppo.maxNewTokens()));
        int context = model.context();
        requireBatch("pretraining.batch × model.context", pretraining.batch(), context);
        requireBatch("sft.batch × model.context", sft.batch(), context);
        requireBatch(
                "reward.batch × comparisons.samplesPerPrompt × model.context",
                (long) reward.batch() * comparisons.samplesPerPrompt(),
                context);
        requireBatch("ppo.rollout × model.context", ppo.rollout(), context);
    }

    private static void requireBatch(String product, long sequences, int context) {
        long tokens = Math.multiplyExact(sequences, context);
        require(tokens <= MOST_TOKENS, product + " must be at most " + MOST_TOKENS + " tokens", tokens);
    }

    /** The same run with other settings of memory. */
    RecipeConfig withMemory(Memory other) {
        return new RecipeConfig(
                seed,
                backend,
                heldOutShare,
                checkpointEvery,
                other,
                data,
                base,
                lora,
                algorithms,
                model,
                pretraining,
                sft,
                comparisons,
                reward,
                ppo,
                dpo,
                evaluation);
    }

    /** The same run with other algorithms. */
    RecipeConfig withAlgorithms(List<Algorithm> others) {
        return new RecipeConfig(
                seed,
                backend,
                heldOutShare,
                checkpointEvery,
                memory,
                data,
                base,
                lora,
                others,
                model,
                pretraining,
                sft,
                comparisons,
                reward,
                ppo,
                dpo,
                evaluation);
    }

    /**
     * What memory the passes of training take, in exchange for time. It decides what is learned by rounding only, so a run
     * may be resumed with other values.
     *
     * @param recompute whether blocks keep their input alone for the backward pass and compute the rest again
     * @param microBatchTokens the most tokens of a pass that goes backward, ≥ 0; a sequence (in the reward stage, a ranking) is
     *     never cut. 0 takes the default of each stage's own configuration in the library
     */
    public record Memory(boolean recompute, int microBatchTokens) {

        public Memory {
            require(
                    microBatchTokens >= 0,
                    "memory.microBatchTokens must be ≥ 0 (0 takes each stage's own)",
                    microBatchTokens);
            requireAtMost("memory.microBatchTokens", MOST_TOKENS, microBatchTokens);
        }

        /** Whole batches in passes of the stages' own size, nothing computed again. */
        static Memory defaults() {
            return new Memory(false, 0);
        }

        Recomputation recomputation() {
            return recompute ? Recomputation.BLOCKS : Recomputation.NONE;
        }

        int tokensOr(int ofStage) {
            return microBatchTokens == 0 ? ofStage : microBatchTokens;
        }
    }

    /**
     * The user's own files; null stands for what the main job makes of WordNet.
     *
     * @param text to pretrain on: plain text divided at blank lines, or JSON Lines with a field {@code text}
     * @param demonstrations to fine-tune on, JSON Lines
     * @param preferences to learn the reward from, JSON Lines; then no labeler is simulated and there is no hidden taste
     * @param prompts to optimise the policy on, JSON Lines or one a line
     * @param dropTooLong whether preferences and prompts that do not fit {@code model.context} are left out, and not refused
     */
    public record Data(
            @Nullable String text,
            @Nullable String demonstrations,
            @Nullable String preferences,
            @Nullable String prompts,
            boolean dropTooLong) {

        static Data dictionary() {
            return new Data(null, null, null, null, false);
        }
    }

    /**
     * Models that exist already, of any format that is read here; null where there is none.
     *
     * @param model in place of the tokenizer and the pretrained model: a directory of Hugging Face transformers, a {@code .gguf}
     *     file, or a {@code .bin} file of llama2.c. The shape in {@link Model} then does not count, but for the context
     * @param rewardModel in place of one that is learned: a directory of a {@code …ForSequenceClassification} with one label
     * @param chatTemplate a file with a Jinja template, in place of the base model's own
     */
    public record Base(
            @Nullable String model,
            @Nullable String rewardModel,
            @Nullable String chatTemplate) {

        public Base {
            require(
                    chatTemplate == null || model != null,
                    "base.chatTemplate is for a base.model; without one turns are marked by tokens of their own",
                    chatTemplate == null ? "" : chatTemplate);
        }

        static Base none() {
            return new Base(null, null, null);
        }
    }

    /**
     * Low-rank adapters (Hu et al. 2021): what the stages train in place of all weights, pretraining from nothing excepted. The
     * models that stages leave have them merged; beside them lie the adapters alone, as PEFT reads them.
     *
     * @param rank from 1 to 1024; 0 trains all weights
     * @param alpha the adapters count {@code alpha/rank} times; positive
     * @param dropout of what the adapters read, in fine-tuning, in [0, 1)
     * @param targets projections that get an adapter; none takes queries and values (of GPT-2, whose projections are one:
     *     queries, keys and values)
     * @param int8 whether the frozen weights of linear layers are held in a byte each while a stage trains, for less memory; the
     *     models that stages leave are the adapters on the weights as they were, not rounded
     */
    public record Lora(int rank, double alpha, double dropout, List<LoraTarget> targets, boolean int8) {

        public Lora {
            require(rank >= 0, "lora.rank must be ≥ 0 (0 trains all weights)", rank);
            requireAtMost("lora.rank", MOST_RANK, rank);
            targets = List.copyOf(targets);
            require(rank > 0 || !int8, "lora.int8 is for adapters, which lora.rank above 0 asks for; rank", rank);
            if (rank > 0) {
                settings(rank, alpha, dropout, Set.copyOf(targets)); // its own rules
            }
        }

        private static LoraConfig settings(int rank, double alpha, double dropout, Set<LoraTarget> targets) {
            try {
                return new LoraConfig(
                        rank,
                        alpha,
                        dropout,
                        targets.isEmpty() ? LoraConfig.defaults().targets() : targets);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("lora." + e.getMessage(), e);
            }
        }

        static Lora none() {
            return new Lora(0, 32, 0, List.of(), false);
        }

        /** Whether adapters are trained, and not all weights. */
        boolean isUsed() {
            return rank > 0;
        }

        /** What frozen weights below adapters are held in. */
        WeightFormat base() {
            return int8 ? WeightFormat.INT8 : WeightFormat.FLOAT32;
        }

        /** The adapters of a model of this shape. */
        LoraConfig of(TransformerConfig model) {
            return settings(
                    rank, alpha, dropout, targets.isEmpty() ? LoraDirectory.usualTargets(model) : Set.copyOf(targets));
        }
    }

    /**
     * The transformer: GPT-2's architecture.
     *
     * @param vocabulary tokens of the tokenizer, the special ones included, from 262 to 1,000,000
     * @param width at most 16,384, a multiple of {@code heads}
     * @param layers from 1 to 256
     * @param heads from 1 to 256
     * @param context most tokens of a sequence, from 16 to 32,768; no more than the base model's, if there is one
     * @param dropout of pretraining and fine-tuning, in [0, 1)
     */
    public record Model(int vocabulary, int width, int layers, int heads, int context, double dropout) {

        /** GPT-2 of this shape. */
        TransformerConfig shape() {
            return TransformerConfig.gpt2(vocabulary, context, width, layers, heads)
                    .withDropout(dropout);
        }

        public Model {
            requireAtMost("model.vocabulary", MOST_VOCABULARY, vocabulary);
            requireAtMost("model.width", MOST_WIDTH, width);
            requireAtMost("model.layers", MOST_LAYERS, layers);
            requireAtMost("model.heads", MOST_HEADS, heads);
            requireAtMost("model.context", MOST_CONTEXT, context);
            require(vocabulary >= 262, "model.vocabulary must hold 256 bytes and 5 special tokens", vocabulary);
            require(heads >= 1 && width >= 1 && width % heads == 0, "model.width must be a multiple of heads", width);
            require(layers >= 1, "model.layers must be at least 1", layers);
            require(context >= 16, "model.context must be at least 16", context);
            require(dropout >= 0 && dropout < 1, "model.dropout must lie in [0, 1)", dropout);
        }
    }

    /**
     * Pretraining.
     *
     * @param documents most documents to use, 0 for all
     * @param steps 0 takes a base model as it is; more go on with its pretraining
     * @param batch windows of a whole context per step; of at most 2²⁴ tokens, as the other batches and the rollout
     * @param learningRate peak, cosine down to a tenth
     * @param zLoss coefficient of log² Z beside the loss (PaLM, §5, takes 1e-4), 0 for none
     */
    public record Pretraining(int documents, int steps, int batch, double learningRate, double zLoss) {

        public Pretraining {
            require(documents >= 0, "pretraining.documents must be ≥ 0 (0 is all)", documents);
            require(steps >= 0, "pretraining.steps must be ≥ 0", steps);
            requirePositive("pretraining", batch, learningRate);
            requireFinite("pretraining.zLoss", "≥ 0 (0 is none)", zLoss >= 0, zLoss);
        }
    }

    /**
     * Supervised fine-tuning.
     *
     * @param demonstrations most demonstrations to use, each once per epoch; 0 for all
     * @param epochs 0 takes a base model as it is
     * @param batch demonstrations per step
     * @param learningRate peak, cosine down to a tenth
     */
    public record Sft(int demonstrations, int epochs, int batch, double learningRate) {

        public Sft {
            require(demonstrations >= 0, "sft.demonstrations must be ≥ 0 (0 is all)", demonstrations);
            require(epochs >= 0, "sft.epochs must be ≥ 0", epochs);
            requirePositive("sft", batch, learningRate);
            requireAtMost("sft.epochs", MOST_EPOCHS, epochs);
        }
    }

    /**
     * What the simulated labeler compares.
     *
     * @param prompts number of prompts to answer
     * @param samplesPerPrompt answers to each, which the labeler ranks, from 2 to 1024
     * @param unseenPrompts held-out prompts for the noise-free comparisons that only evaluation sees
     * @param mistakes share of answers that are drawn at random (Christiano et al. 2017, §2.2.3), in [0, 1]
     * @param temperature of the sampling
     */
    public record Comparisons(
            int prompts,
            int samplesPerPrompt,
            int unseenPrompts,
            double mistakes,
            int maxNewTokens,
            double temperature) {

        public Comparisons {
            require(prompts >= 1, "comparisons.prompts must be at least 1", prompts);
            require(samplesPerPrompt >= 2, "comparisons.samplesPerPrompt must be at least 2", samplesPerPrompt);
            requireAtMost("comparisons.samplesPerPrompt", MOST_ANSWERS, samplesPerPrompt);
            require(unseenPrompts >= 1, "comparisons.unseenPrompts must be at least 1", unseenPrompts);
            require(mistakes >= 0 && mistakes <= 1, "comparisons.mistakes must lie in [0, 1]", mistakes);
            require(maxNewTokens >= 1, "comparisons.maxNewTokens must be at least 1", maxNewTokens);
            requireFinite("comparisons.temperature", "positive", temperature > 0, temperature);
        }
    }

    /**
     * The reward model.
     *
     * @param batch rankings per step
     * @param learningRate peak, cosine down to a tenth
     */
    public record Reward(int epochs, int batch, double learningRate) {

        public Reward {
            require(epochs >= 1, "reward.epochs must be at least 1", epochs);
            requirePositive("reward", batch, learningRate);
            requireAtMost("reward.epochs", MOST_EPOCHS, epochs);
        }
    }

    /**
     * PPO.
     *
     * @param iterations rollouts
     * @param rollout answers per rollout
     * @param groupSize answers to each prompt of a rollout, for algorithms that compare them; from 2 to 1024. PPO takes one
     * @param minibatch answers per update, a divisor of {@code rollout}
     * @param epochs passes over each rollout, at most 1000
     * @param learningRate of the policy, linear down to 0
     * @param valueLearningRate of the value function, linear down to 0
     * @param klCoefficient β at the start: in the rewards, with GRPO in the loss; of online DPO it is {@code dpo.beta}
     * @param klTarget nats per {@code klUnit} that β adapts to; 0 keeps β fixed, as GRPO does in any case
     * @param klBudget nats per sequence from the supervised policy that, with a probability of about 95 %, no step of a run
     *     ends past: updates that may are taken back and tried at half the rate. 0 is none. Of the algorithms on comparisons
     *     there is none
     * @param klHorizon answers over which β adapts (Ziegler et al. 2019, §2.2)
     * @param missingStopScore score of an answer that does not end in time, or what is added to it: see {@link PpoRewards}
     * @param sharedTrunk whether the value function is a head on the policy's own trunk, and not a model of its own that
     *     starts from the reward model
     * @param ptxCoefficient weight of the language-model loss on pretraining text in each update (InstructGPT's PPO-ptx), 0
     *     for none
     * @param dialect whose conventions stand in place of the defaults of {@code klCoefficient}, {@code klTarget}, {@code
     *     klHorizon}, {@code klController}, {@code klUnit}, {@code missingStopScore}, {@code ptxCoefficient}, {@code rewards},
     *     {@code advantages} and {@code losses}; what is set beside it stands. Null is none
     * @param klController how β follows {@code klTarget}
     * @param klUnit what {@code klTarget} is counted per
     * @param approximateKlLimit nats per token; once an update's minibatch had moved the policy further than this, the rest of
     *     the updates on a rollout is left out. 0 is none. Of online DPO there is none
     * @param int8Sampler whether rollouts are drawn from the policy with its weights rounded to a byte each, corrected for by
     *     {@code correction}; not with {@code sharedTrunk}
     * @param rewards how scores become rewards
     * @param advantages how rewards become advantages
     * @param losses what an update minimises
     * @param correction for what {@code int8Sampler} draws
     */
    public record Ppo(
            int iterations,
            int rollout,
            int groupSize,
            int minibatch,
            int epochs,
            double learningRate,
            double valueLearningRate,
            double klCoefficient,
            double klTarget,
            double klBudget,
            double klHorizon,
            double missingStopScore,
            int maxNewTokens,
            double temperature,
            boolean sharedTrunk,
            double ptxCoefficient,
            @Nullable Dialect dialect,
            KlRule klController,
            KlUnit klUnit,
            double approximateKlLimit,
            boolean int8Sampler,
            PpoRewards rewards,
            PpoAdvantages advantages,
            PpoLosses losses,
            PpoCorrection correction) {

        /** How β follows a target. */
        public enum KlRule {
            /** {@link KlController.Adaptive}, with {@code ppo.klHorizon}. */
            ADAPTIVE,
            /** {@link KlController.HalvingDoubling}. */
            HALVING_DOUBLING
        }

        public Ppo {
            require(iterations >= 1, "ppo.iterations must be at least 1", iterations);
            requirePositive("ppo", rollout, learningRate);
            require(groupSize >= 2, "ppo.groupSize must be at least 2", groupSize);
            requireAtMost("ppo.groupSize", MOST_ANSWERS, groupSize);
            require(epochs >= 1, "ppo.epochs must be at least 1", epochs);
            requireAtMost("ppo.epochs", MOST_EPOCHS, epochs);
            require(minibatch >= 1 && rollout % minibatch == 0, "ppo.minibatch must divide ppo.rollout", minibatch);
            requireFinite("ppo.valueLearningRate", "positive", valueLearningRate > 0, valueLearningRate);
            requireFinite("ppo.klCoefficient", "≥ 0", klCoefficient >= 0, klCoefficient);
            requireFinite("ppo.klTarget", "≥ 0 (0 keeps the coefficient)", klTarget >= 0, klTarget);
            requireFinite("ppo.klBudget", "≥ 0 (0 is none)", klBudget >= 0, klBudget);
            requireFinite("ppo.klHorizon", "positive", klHorizon > 0, klHorizon);
            requireFinite("ppo.missingStopScore", "a number", true, missingStopScore);
            requireFinite("ppo.ptxCoefficient", "≥ 0 (0 is plain PPO)", ptxCoefficient >= 0, ptxCoefficient);
            require(maxNewTokens >= 1, "ppo.maxNewTokens must be at least 1", maxNewTokens);
            requireFinite("ppo.temperature", "positive", temperature > 0, temperature);
            requireFinite("ppo.approximateKlLimit", "≥ 0 (0 is none)", approximateKlLimit >= 0, approximateKlLimit);
            require(
                    klTarget == 0 || klCoefficient > 0,
                    "ppo.klCoefficient must be above 0 with a ppo.klTarget, as a coefficient of 0 cannot follow it; set"
                            + " ppo.klTarget=0 to keep it at 0",
                    klCoefficient);
            require(
                    losses.valueWarmup() < iterations,
                    "ppo.losses.valueWarmup must be below ppo.iterations, or the policy is never trained",
                    losses.valueWarmup());
            require(
                    losses.valueWarmup() == 0 || !sharedTrunk,
                    "ppo.losses.valueWarmup must be 0 with ppo.sharedTrunk, where the value loss would move the policy",
                    losses.valueWarmup());
            require(
                    !int8Sampler || !sharedTrunk,
                    "ppo.int8Sampler must be false with ppo.sharedTrunk: a trunk with a value head is not decoded in int8",
                    int8Sampler);
        }

        /** With conventions of no dialect but the library's defaults. */
        Ppo(
                int iterations,
                int rollout,
                int groupSize,
                int minibatch,
                int epochs,
                double learningRate,
                double valueLearningRate,
                double klCoefficient,
                double klTarget,
                double klBudget,
                double klHorizon,
                double missingStopScore,
                int maxNewTokens,
                double temperature,
                boolean sharedTrunk,
                double ptxCoefficient) {
            this(
                    iterations,
                    rollout,
                    groupSize,
                    minibatch,
                    epochs,
                    learningRate,
                    valueLearningRate,
                    klCoefficient,
                    klTarget,
                    klBudget,
                    klHorizon,
                    missingStopScore,
                    maxNewTokens,
                    temperature,
                    sharedTrunk,
                    ptxCoefficient,
                    null,
                    KlRule.ADAPTIVE,
                    KlUnit.PER_SEQUENCE,
                    0,
                    false,
                    PpoRewards.defaults(),
                    PpoAdvantages.defaults(),
                    PpoLosses.defaults(),
                    PpoCorrection.defaults());
        }
    }

    /**
     * Direct optimisation on the comparisons: DPO and its relatives.
     *
     * @param batch rankings per step
     * @param learningRate peak, cosine down to a tenth
     * @param beta β of the implicit reward (of IPO: τ), positive; SLiC, ORPO and SimPO have numbers of their papers in its place
     */
    public record Dpo(int epochs, int batch, double learningRate, double beta) {

        public Dpo {
            require(epochs >= 1, "dpo.epochs must be at least 1", epochs);
            requireAtMost("dpo.epochs", MOST_EPOCHS, epochs);
            requirePositive("dpo", batch, learningRate);
            requireFinite("dpo.beta", "positive", beta > 0, beta);
        }
    }

    /**
     * Evaluation.
     *
     * @param prompts held-out prompts to answer before and after
     * @param bestOf largest n of best-of-n, from 4 to 1024; a quarter of it stands beside it
     */
    public record Evaluation(int prompts, int bestOf) {

        public Evaluation {
            require(prompts >= 2, "evaluation.prompts must be at least 2", prompts);
            require(bestOf >= 4, "evaluation.bestOf must be at least 4", bestOf);
            requireAtMost("evaluation.prompts", MOST_PROMPTS, prompts);
            requireAtMost("evaluation.bestOf", MOST_ANSWERS, bestOf);
        }
    }

    /**
     * Whether a stage has nothing to do, as a model that exists stands for what it would make, or nothing is to be changed about
     * the model before.
     */
    boolean skips(Stage stage) {
        return switch (stage) {
            case TOKENIZER -> base.model() != null;
            case PRETRAINING -> pretraining.steps() == 0;
            case SFT -> sft.epochs() == 0;
            case REWARD -> base.rewardModel() != null;
            case COMPARISONS, PPO, EVALUATION -> false;
        };
    }
}
