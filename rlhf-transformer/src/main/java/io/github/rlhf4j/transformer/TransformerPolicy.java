package io.github.rlhf4j.transformer;

import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.CompletionListener;
import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.TrainablePolicy;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.files.LoraDirectory;
import io.github.rlhf4j.transformer.files.ModelDirectory;
import io.github.rlhf4j.transformer.files.ModelSource;
import io.github.rlhf4j.transformer.generation.ChatSession;
import io.github.rlhf4j.transformer.generation.DecodingSession;
import io.github.rlhf4j.transformer.generation.Generator;
import io.github.rlhf4j.transformer.generation.TokenListener;
import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.WeightFormat;
import io.github.rlhf4j.transformer.model.Initialization;
import io.github.rlhf4j.transformer.model.LoraConfig;
import io.github.rlhf4j.transformer.model.ParameterStore;
import io.github.rlhf4j.transformer.model.Recomputation;
import io.github.rlhf4j.transformer.model.Transformer;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import io.github.rlhf4j.transformer.training.TokenLearner;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A transformer language model as a policy: trunk and token head. Sampling and scoring run from several threads;
 * training owns the model alone.
 *
 * <p>The model's vocabulary may be larger than the tokenizer's, as in Hugging Face models with padded embedding tables. The
 * padding ids are part of the distribution that is scored and trained, as they are there, and are never sampled; see
 * {@link io.github.rlhf4j.transformer.generation.TokenSampler} for what that means for log-probabilities.
 */
public final class TransformerPolicy implements TrainablePolicy, TokenLearner, AutoCloseable {

    private final ModelCore core;
    private final LanguageHead head;
    private final Tokenizer tokenizer;

    TransformerPolicy(ModelCore core, Tokenizer tokenizer) {
        this.core = core;
        this.head = new LanguageHead(core);
        this.tokenizer = tokenizer;
    }

    /**
     * A model with GPT-2's initial weights, in float32.
     *
     * @param config its vocabulary at least as large as the tokenizer's
     * @throws IllegalArgumentException when it is smaller
     */
    public static TransformerPolicy create(
            TransformerConfig config, Tokenizer tokenizer, AdamWConfig optimizer, long seed) {
        return create(config, tokenizer, optimizer, seed, DataType.FLOAT);
    }

    /** As the other {@code create}, with the type of the numbers: DOUBLE for gradient checks. */
    public static TransformerPolicy create(
            TransformerConfig config, Tokenizer tokenizer, AdamWConfig optimizer, long seed, DataType dataType) {
        TransformerPolicy policy = allocate(config, tokenizer, optimizer, dataType);
        Initialization.gpt2(policy.parameters(), config, RandomKey.of(seed).child("initial weights"));
        return policy;
    }

    static TransformerPolicy allocate(
            TransformerConfig config, Tokenizer tokenizer, AdamWConfig optimizer, DataType dataType) {
        return allocate(config, tokenizer, optimizer, dataType, WeightFormat.FLOAT32);
    }

    private static TransformerPolicy allocate(
            TransformerConfig config,
            Tokenizer tokenizer,
            AdamWConfig optimizer,
            DataType dataType,
            WeightFormat weights) {
        if (tokenizer.vocabularySize() > config.vocabularySize()) {
            throw new IllegalArgumentException("the tokenizer has " + tokenizer.vocabularySize()
                    + " tokens, the model " + config.vocabularySize()
                    + "; give the model at least the tokenizer's vocabularySize");
        }
        ParameterStore.Builder declared = Transformer.declareWithHead(config);
        ParameterStore store =
                weights == WeightFormat.INT8 ? declared.allocateInt8(dataType) : declared.allocate(dataType);
        return new TransformerPolicy(new ModelCore(config, optimizer, store), tokenizer);
    }

    /**
     * Loads a model directory as {@link #save} or Hugging Face transformers writes it, or a file of llama.cpp or llama2.c; see
     * {@link ModelSource#open}.
     *
     * @throws IOException naming the file and what is wrong with it
     */
    public static TransformerPolicy load(Path path, AdamWConfig optimizer) throws IOException {
        return load(path, optimizer, WeightFormat.FLOAT32);
    }

    /**
     * As the other {@code load}, with the weights of linear layers held in {@code weights}. With {@link WeightFormat#INT8} they
     * are rounded as they are read, one matrix after the other, so that the model never is in memory in float; see {@link
     * #copy(WeightFormat)} for what such a policy can do.
     *
     * @throws IOException naming the file and what is wrong with it
     */
    public static TransformerPolicy load(Path path, AdamWConfig optimizer, WeightFormat weights) throws IOException {
        ModelSource files = ModelSource.open(path);
        TransformerPolicy policy = allocate(files.config(), files.tokenizer(), optimizer, DataType.FLOAT, weights);
        try {
            files.readInto(policy.parameters());
        } catch (IOException | RuntimeException e) {
            policy.close();
            throw e;
        }
        return policy;
    }

    /**
     * A policy of low-rank adapters on this one's memory: it begins with this policy's log-probs, to the bit, and training it
     * changes nothing here. This policy is then the reference, without a copy. Gradients and moments are those of the adapters
     * alone, as are {@link #parameters()} and {@link #saveState} of the result.
     *
     * <p>Several may share one base. Close them before it; while they live, do not train it.
     *
     * @param seed of the initial adapters
     * @throws IllegalStateException when this policy has adapters itself
     * @throws IllegalArgumentException when the model lacks a target
     */
    public TransformerPolicy withLora(LoraConfig lora, AdamWConfig optimizer, long seed) {
        return new TransformerPolicy(core.adapted(lora, optimizer, false, seed), tokenizer);
    }

    /**
     * As {@link #withLora}, with adapters as {@link #saveLora} or Hugging Face's PEFT writes them: {@code adapter_config.json}
     * and {@code adapter_model.safetensors}.
     *
     * @throws IOException naming the file and what is wrong with it, or does not fit this model
     */
    public TransformerPolicy loadLora(Path directory, AdamWConfig optimizer) throws IOException {
        LoraDirectory files = LoraDirectory.open(directory, core.config(), false);
        TransformerPolicy policy = withLora(files.lora(), optimizer, 0);
        try {
            files.readInto(policy.parameters());
        } catch (IOException | RuntimeException e) {
            policy.close();
            throw e;
        }
        return policy;
    }

    /**
     * Writes the adapters alone, as {@link #loadLora} and PEFT read them.
     *
     * @throws IllegalStateException when there are none
     * @throws IllegalArgumentException when the model's family has no layer of its own for a target
     */
    public void saveLora(Path directory) throws IOException {
        saveLora(directory, null);
    }

    /**
     * As {@link #saveLora(Path)}, and says which model is adapted, so that PEFT finds it by itself.
     *
     * @param base directory or Hugging Face's name of that model, for example {@code HuggingFaceTB/SmolLM2-135M-Instruct}; null for none
     */
    public void saveLora(Path directory, @Nullable String base) throws IOException {
        LoraDirectory.save(directory, core.config(), core.requireLora(), core.store(), base);
    }

    /** The adapters' settings; null for a policy without. */
    public @Nullable LoraConfig lora() {
        return core.lora();
    }

    /** An independent policy without adapters, whose weights are {@code W + alpha/rank·A·B}. */
    public TransformerPolicy merged() {
        return copy();
    }

    /** Writes a directory that Hugging Face transformers loads as it is; adapters are merged. */
    public void save(Path directory) throws IOException {
        if (core.lora() == null && !core.hasInt8()) {
            ModelDirectory.save(directory, core.config(), core.store(), tokenizer);
            return;
        }
        try (TransformerPolicy merged = merged()) {
            merged.save(directory);
        }
    }

    /** An independent model with the same weights, adapters merged, and a new optimiser: how a reference policy is made. */
    public TransformerPolicy copy() {
        return copy(core.optimizerConfig());
    }

    /** As {@link #copy()}, to be trained with other settings. */
    public TransformerPolicy copy(AdamWConfig optimizer) {
        TransformerPolicy copy =
                allocate(core.config(), tokenizer, optimizer, core.store().dataType());
        core.copyWeightsTo(copy.parameters());
        copy.setRecomputation(core.recomputation());
        return copy;
    }

    /**
     * An independent policy with the same weights, adapters merged, those of linear layers held in {@code weights}. Embeddings,
     * token head, norms and biases stay floats.
     *
     * <p>With {@link WeightFormat#INT8} it takes about a quarter of the memory and is frozen: it scores, it decodes on its
     * bytes, and adapters are trained on it ({@link #withLora}), which makes it the reference policy in the same memory. Its
     * {@link #copy()}, and what {@link #save} writes, has the rounded weights as floats.
     */
    public TransformerPolicy copy(WeightFormat weights) {
        if (weights == WeightFormat.FLOAT32) {
            return copy();
        }
        if (core.lora() != null || core.hasInt8()) {
            try (TransformerPolicy floats = copy()) {
                return floats.copy(weights);
            }
        }
        TransformerPolicy rounded = allocate(
                core.config(), tokenizer, core.optimizerConfig(), core.store().dataType(), weights);
        core.roundWeightsTo(rounded.parameters());
        rounded.setRecomputation(core.recomputation());
        return rounded;
    }

    /** Chooses what passes that go backward keep; see {@link Recomputation}, which is none unless set. Copies inherit it. */
    public void setRecomputation(Recomputation choice) {
        core.setRecomputation(choice);
    }

    Recomputation recomputation() {
        return core.recomputation();
    }

    public TransformerConfig config() {
        return core.config();
    }

    /**
     * What is trained: all parameters, or the adapters alone where there are some. Of int8 weights, which are not trained, the
     * parameters beside them.
     */
    public ParameterStore parameters() {
        return core.store();
    }

    ModelCore core() {
        return core;
    }

    @Override
    public Tokenizer tokenizer() {
        return tokenizer;
    }

    @Override
    public int contextLength() {
        return core.config().contextLength();
    }

    /** Opens a session that decodes with a key-value cache. */
    public DecodingSession openSession() {
        return openSession(WeightFormat.FLOAT32);
    }

    /** As {@link #openSession()}, on weights in this format; see {@link #generator}. */
    public DecodingSession openSession(WeightFormat weights) {
        return core.openSession(weights);
    }

    /**
     * What completes prompts for people, on weights in another format; {@link #complete} always decodes with the policy's
     * own. With {@link WeightFormat#INT8} a token of one sequence is read from a quarter of the memory, and tokens of many
     * sequences cost about the same as in float. A prompt goes through the float weights either way, the head excepted. A
     * completion's log-probs are those of the rounded weights: do not train on them, they are not the policy's.
     *
     * <p>The generator follows the policy as it is trained, and ends with it.
     */
    public Generator generator(WeightFormat weights) {
        return new Generator(tokenizer, () -> openSession(weights));
    }

    @Override
    public List<Completion> complete(List<TokenSequence> prompts, Sampling sampling, long seed) {
        return generator(WeightFormat.FLOAT32).complete(prompts, sampling, seed);
    }

    @Override
    public List<Completion> complete(
            List<TokenSequence> prompts, Sampling sampling, long seed, CompletionListener listener) {
        return generator(WeightFormat.FLOAT32).complete(prompts, sampling, seed, listener);
    }

    /** A conversation that begins, in this model's window; see {@link ChatSession}. */
    public ChatSession chat(ChatFormat format, Sampling sampling, long seed) {
        return chat(format, sampling, seed, WeightFormat.FLOAT32);
    }

    /** As the other {@code chat}, on weights in this format; see {@link #generator}. */
    public ChatSession chat(ChatFormat format, Sampling sampling, long seed, WeightFormat weights) {
        return new ChatSession(generator(weights), format, contextLength(), sampling, seed, List.of());
    }

    /** As {@link #complete(List, Sampling, long)}, telling {@code listener} of each token as it is drawn. */
    public List<Completion> complete(
            List<TokenSequence> prompts, Sampling sampling, long seed, TokenListener listener) {
        return generator(WeightFormat.FLOAT32).complete(prompts, sampling, seed, listener);
    }

    @Override
    public TokenScores score(SequenceBatch batch) {
        List<double[]> logProbs = new ArrayList<>(batch.size());
        List<double[]> entropies = new ArrayList<>(batch.size());
        for (SequenceBatch part : batch.split(Microbatches.tokens(core.config()))) {
            TokenScores scores = core.infer(arena -> scorePart(part, arena));
            logProbs.addAll(List.of(scores.logProbs()));
            entropies.addAll(List.of(scores.entropies()));
        }
        return new TokenScores(logProbs.toArray(double[][]::new), entropies.toArray(double[][]::new));
    }

    private TokenScores scorePart(SequenceBatch part, Arena arena) {
        ScoredRows scored = ScoredRows.of(part, core.config());
        INDArray hidden = core.trunk().infer(scored.packed(), null, arena);
        return head.forward(scored, part.temperature(), hidden, null, arena);
    }

    /**
     * {@inheritDoc}
     *
     * <p>When this or the pass's backward throws, the pass's memory is given back and the gradients that were added up
     * since the last update are discarded.
     */
    @Override
    public ForwardPass forward(SequenceBatch batch) {
        return open(batch, null);
    }

    /**
     * {@inheritDoc}
     *
     * <p>The reference may be any {@link TransformerPolicy} or {@link TransformerActorCritic} of the same vocabulary: a copy, an
     * int8 one, one of another size, or the model below this one's adapters ({@link #withLora}), which costs no memory for
     * weights. It goes over the whole batch once, in memory of its own as when it scores; of that the pass keeps one row of its
     * width for each scored token. Logits, rows × vocabulary of both, are alive a chunk at a time, {@link
     * io.github.rlhf4j.transformer.kernels.Kernels#LOGITS_AT_ONCE} of them together, and are computed again on the way back. In
     * time it costs a score of the reference, and its product with the token table once more on the way back. Do not train the
     * reference before the pass is closed.
     *
     * @throws IllegalArgumentException when the reference is no transformer, or of another vocabulary or type of numbers
     */
    @Override
    public ForwardPass forward(SequenceBatch batch, Policy reference) {
        return open(batch, KlReference.of(core, reference));
    }

    @Override
    public void requireKlTo(Policy reference) {
        KlReference.of(core, reference);
    }

    private ForwardPass open(SequenceBatch batch, @Nullable KlReference reference) {
        TrainingPass life = core.openPass();
        return life.forward(() -> forward(batch, reference, life));
    }

    private ForwardPass forward(SequenceBatch batch, @Nullable KlReference reference, TrainingPass life) {
        Arena arena = core.trainingArena();
        ScoredRows scored = ScoredRows.of(batch, core.config());
        KlReference.Rows other = reference == null ? null : reference.rows(batch, arena);
        Transformer.Pass pass = core.forward(scored.packed(), null);
        TokenScores scores = head.forward(scored, batch.temperature(), pass.hidden(), other, arena);
        return new ForwardPass() {
            @Override
            public TokenScores scores() {
                return scores;
            }

            @Override
            public void backward(TokenGradients gradients) {
                life.backward(() -> goBackward(
                        scored, batch.temperature(), pass, other, LanguageHead.Upstream.of(gradients, scored, other)));
            }

            @Override
            public void close() {
                life.close();
            }
        };
    }

    @Override
    public double[][] accumulate(SequenceBatch batch, double[][] weights, @Nullable List<RandomKey> dropout) {
        return accumulate(batch, weights, 0, dropout).logProbs();
    }

    @Override
    public Accumulated accumulate(
            SequenceBatch batch, double[][] weights, double zLoss, @Nullable List<RandomKey> dropout) {
        try (TrainingPass life = core.openPass()) {
            return life.forward(() -> {
                ScoredRows scored = ScoredRows.of(batch, core.config());
                double[] dLogProbs = scored.flat(weights, "weights");
                double[] zLosses = zLoss == 0 ? null : new double[dLogProbs.length];
                for (int i = 0; i < dLogProbs.length; i++) {
                    if (zLosses != null) {
                        zLosses[i] = zLoss * dLogProbs[i];
                    }
                    dLogProbs[i] = -dLogProbs[i]; // loss = Σ weight·(zLoss·log² Z − logProb)
                }
                Transformer.Pass pass = core.forward(scored.packed(), dropout);
                LanguageHead.Upstream upstream = new LanguageHead.Upstream(dLogProbs, null, zLosses, null);
                return goBackward(scored, batch.temperature(), pass, null, upstream);
            });
        }
    }

    private Accumulated goBackward(
            ScoredRows scored,
            double temperature,
            Transformer.Pass pass,
            KlReference.@Nullable Rows reference,
            LanguageHead.Upstream upstream) {
        Arena arena = core.trainingArena();
        INDArray dHidden = arena.takeZeros(scored.packed().rows(), core.config().width());
        Accumulated scores = head.backward(scored, temperature, pass.hidden(), reference, upstream, dHidden, arena);
        core.trunk().backward(pass, dHidden, arena);
        return scores;
    }

    @Override
    public void discard() {
        core.discardGradients();
    }

    @Override
    public UpdateReport update(double learningRate) {
        return core.update(learningRate);
    }

    @Override
    public void saveState(Path directory) throws IOException {
        core.saveState(directory);
    }

    @Override
    public void restoreState(Path directory) throws IOException {
        core.restoreState(directory);
    }

    @Override
    public void close() {
        core.close();
    }
}
