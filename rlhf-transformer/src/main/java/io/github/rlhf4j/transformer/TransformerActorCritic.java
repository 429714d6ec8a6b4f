package io.github.rlhf4j.transformer;

import io.github.rlhf4j.core.ActorCritic;
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
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.model.Initialization;
import io.github.rlhf4j.transformer.model.LoraConfig;
import io.github.rlhf4j.transformer.model.ParameterStore;
import io.github.rlhf4j.transformer.model.Recomputation;
import io.github.rlhf4j.transformer.model.Transformer;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Policy and value function on one trunk, with a token head and a scalar head (Ziegler et al. 2019): half the memory and
 * time of two models, at the price that the two losses pull on the same weights.
 */
public final class TransformerActorCritic implements ActorCritic, AutoCloseable {

    private final ModelCore core;
    private final TransformerPolicy policy;
    private final LanguageHead languageHead;
    private final ScalarHead valueHead;

    TransformerActorCritic(ModelCore core, Tokenizer tokenizer) {
        this.core = core;
        this.policy = new TransformerPolicy(core, tokenizer);
        this.languageHead = new LanguageHead(core);
        this.valueHead = ScalarHead.of(core);
    }

    /** An actor-critic on a copy of a language model; the value head drawn from N(0, 1/√(C + 1)). */
    public static TransformerActorCritic of(TransformerPolicy start, AdamWConfig optimizer, long seed) {
        ParameterStore store = Transformer.declareWithHead(start.config())
                .matrix(ScalarHead.NAME, 1, start.config().width())
                .allocate(start.parameters().dataType());
        start.core().copyWeightsTo(store);
        Initialization.scalarHead(store.get(ScalarHead.NAME), RandomKey.of(seed).child("scalar head"));
        TransformerActorCritic both =
                new TransformerActorCritic(new ModelCore(start.config(), optimizer, store), start.tokenizer());
        both.setRecomputation(start.recomputation());
        return both;
    }

    /**
     * An actor-critic of low-rank adapters on the memory of a language model, which does not change, and a value head drawn as
     * in {@link #of}. See {@link TransformerPolicy#withLora} for who closes what when.
     *
     * @throws IllegalStateException when {@code start} has adapters itself
     */
    public static TransformerActorCritic ofLora(
            TransformerPolicy start, LoraConfig lora, AdamWConfig optimizer, long seed) {
        TransformerActorCritic both =
                new TransformerActorCritic(start.core().adapted(lora, optimizer, true, seed), start.tokenizer());
        Initialization.scalarHead(both.valueHead.weight(), RandomKey.of(seed).child("scalar head"));
        return both;
    }

    /** The policy alone, as an independent model, adapters merged: to save, or to go on with. */
    public TransformerPolicy toPolicy() {
        TransformerPolicy copy = TransformerPolicy.allocate(
                core.config(), tokenizer(), core.optimizerConfig(), core.store().dataType());
        core.copyWeightsTo(copy.parameters());
        copy.setRecomputation(core.recomputation());
        return copy;
    }

    ModelCore core() {
        return core;
    }

    /** Chooses what passes that go backward keep; see {@link Recomputation}, which is none unless set. Copies inherit it. */
    public void setRecomputation(Recomputation choice) {
        core.setRecomputation(choice);
    }

    /** What is trained: all parameters, or adapters and value head where there are adapters. */
    public ParameterStore parameters() {
        return core.store();
    }

    @Override
    public Tokenizer tokenizer() {
        return policy.tokenizer();
    }

    @Override
    public int contextLength() {
        return policy.contextLength();
    }

    @Override
    public List<Completion> complete(List<TokenSequence> prompts, Sampling sampling, long seed) {
        return policy.complete(prompts, sampling, seed);
    }

    @Override
    public List<Completion> complete(
            List<TokenSequence> prompts, Sampling sampling, long seed, CompletionListener listener) {
        return policy.complete(prompts, sampling, seed, listener);
    }

    @Override
    public TokenScores score(SequenceBatch batch) {
        return policy.score(batch);
    }

    @Override
    public ForwardPass forward(SequenceBatch batch) {
        return policy.forward(batch);
    }

    /** As {@link TransformerPolicy#forward(SequenceBatch, Policy)}, in memory too. */
    @Override
    public ForwardPass forward(SequenceBatch batch, Policy reference) {
        return policy.forward(batch, reference);
    }

    @Override
    public void requireKlTo(Policy reference) {
        policy.requireKlTo(reference);
    }

    @Override
    public double[][] values(SequenceBatch batch) {
        List<double[]> values = new ArrayList<>(batch.size());
        for (SequenceBatch part : batch.split(Microbatches.tokens(core.config()))) {
            values.addAll(List.of(core.infer(arena -> {
                ScoredRows scored = ScoredRows.of(part, core.config());
                INDArray hidden = core.trunk().infer(scored.packed(), null, arena);
                return scored.ragged(valueHead.forward(scored.rows(), hidden, arena));
            })));
        }
        return values.toArray(double[][]::new);
    }

    /**
     * {@inheritDoc}
     *
     * <p>When this or the pass's backward throws, the pass's memory is given back and the gradients that were added up
     * since the last update are discarded.
     */
    @Override
    public JointPass forwardJointly(SequenceBatch batch) {
        return open(batch, null);
    }

    /** As {@link #forwardJointly(SequenceBatch)}; for the reference see {@link TransformerPolicy#forward(SequenceBatch, Policy)}. */
    @Override
    public JointPass forwardJointly(SequenceBatch batch, Policy reference) {
        return open(batch, KlReference.of(core, reference));
    }

    private JointPass open(SequenceBatch batch, @Nullable KlReference reference) {
        TrainingPass life = core.openPass();
        return life.forward(() -> forwardJointly(batch, reference, life));
    }

    private JointPass forwardJointly(SequenceBatch batch, @Nullable KlReference reference, TrainingPass life) {
        Arena arena = core.trainingArena();
        ScoredRows scored = ScoredRows.of(batch, core.config());
        KlReference.Rows other = reference == null ? null : reference.rows(batch, arena);
        Transformer.Pass pass = core.forward(scored.packed(), null);
        TokenScores scores = languageHead.forward(scored, batch.temperature(), pass.hidden(), other, arena);
        double[][] values = scored.ragged(valueHead.forward(scored.rows(), pass.hidden(), arena));
        return new JointPass() {
            @Override
            public TokenScores scores() {
                return scores;
            }

            @Override
            public double[][] values() {
                return values;
            }

            @Override
            public void backward(TokenGradients gradients, double[][] dValues) {
                life.backward(() -> goBackward(scored, batch.temperature(), pass, other, gradients, dValues));
            }

            @Override
            public void close() {
                life.close();
            }
        };
    }

    private void goBackward(
            ScoredRows scored,
            double temperature,
            Transformer.Pass pass,
            KlReference.@Nullable Rows reference,
            TokenGradients gradients,
            double[][] dValues) {
        Arena arena = core.trainingArena();
        LanguageHead.Upstream upstream = LanguageHead.Upstream.of(gradients, scored, reference);
        INDArray dHidden = arena.takeZeros(scored.packed().rows(), core.config().width());
        languageHead.backward(scored, temperature, pass.hidden(), reference, upstream, dHidden, arena);
        valueHead.backward(scored.rows(), scored.flat(dValues, "dValues"), pass.hidden(), dHidden, arena);
        core.trunk().backward(pass, dHidden, arena);
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
