package io.github.rlhf4j.testkit;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.TrainablePolicy;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.core.random.RandomKey;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A policy that is a softmax table, exact in double: a row of logits per context. Small enough to list every response with
 * its probability ({@link #responses}), so that what training should converge to can be computed.
 */
public class TabularPolicy implements TrainablePolicy {

    final StateTable table;
    final TabularContext context;
    private final Tokenizer tokenizer;
    private final int contextLength;

    TabularPolicy(Tokenizer tokenizer, TabularContext context, int contextLength, StateTable table) {
        this.tokenizer = tokenizer;
        this.context = context;
        this.contextLength = contextLength;
        this.table = table;
    }

    /** The uniform policy. */
    public static TabularPolicy uniform(
            Tokenizer tokenizer, TabularContext context, int contextLength, TabularOptimizer optimizer) {
        return random(tokenizer, context, contextLength, optimizer, 0, 0);
    }

    /** A policy whose logits are N(0, scale²), drawn by context from the seed. */
    public static TabularPolicy random(
            Tokenizer tokenizer,
            TabularContext context,
            int contextLength,
            TabularOptimizer optimizer,
            long seed,
            double scale) {
        RandomKey key = RandomKey.of(seed).child("policy");
        return new TabularPolicy(
                tokenizer, context, contextLength, new StateTable(tokenizer.vocabularySize(), optimizer, key, scale));
    }

    /** An independent policy of the same bits: the reference of a run that trains this one. */
    public TabularPolicy copy() {
        return new TabularPolicy(tokenizer, context, contextLength, table.copy());
    }

    @Override
    public Tokenizer tokenizer() {
        return tokenizer;
    }

    @Override
    public int contextLength() {
        return contextLength;
    }

    /** Sets the logits of the token after {@code prefix}, one per token of the vocabulary. */
    public void setLogits(TokenSequence prefix, double... logits) {
        if (logits.length != tokenizer.vocabularySize()) {
            throw new IllegalArgumentException("there is one logit per token of the vocabulary, "
                    + tokenizer.vocabularySize() + ", got " + logits.length);
        }
        table.setParameters(context.key(prefix, prefix.length()), logits);
    }

    /** log π(· | prefix) at a temperature, nats; one per token of the vocabulary. */
    public double[] logProbs(TokenSequence prefix, double temperature) {
        return logSoftmax(table.parameters(context.key(prefix, prefix.length())), temperature);
    }

    /** Every response to a prompt with its probability; see {@link ResponseDistribution#of}. */
    public ResponseDistribution responses(TokenSequence prompt, Sampling sampling) {
        return ResponseDistribution.of(this, prompt, sampling);
    }

    @Override
    public List<Completion> complete(List<TokenSequence> prompts, Sampling sampling, long seed) {
        List<Completion> completions = new ArrayList<>(prompts.size());
        for (int i = 0; i < prompts.size(); i++) {
            completions.add(
                    complete(prompts.get(i), sampling, RandomKey.of(seed).child(i)));
        }
        return completions;
    }

    private Completion complete(TokenSequence prompt, Sampling sampling, RandomKey key) {
        requireSupported(prompt, sampling);
        double scoringTemperature = sampling.temperature() == 0 ? 1 : sampling.temperature();
        int limit = Math.min(sampling.maxNewTokens(), contextLength - prompt.length());
        TokenSequence tokens = prompt;
        double[] logProbs = new double[limit];
        for (int t = 0; t < limit; t++) {
            double[] distribution = logProbs(tokens, scoringTemperature);
            int token = sampling.temperature() == 0
                    ? argmax(distribution)
                    : draw(distribution, key.child(t).uniform());
            logProbs[t] = distribution[token];
            tokens = tokens.concat(TokenSequence.of(token));
            if (sampling.stopTokens().contains(token)) {
                return completion(prompt, tokens, logProbs, Completion.StopReason.STOP_TOKEN);
            }
        }
        return completion(prompt, tokens, logProbs, Completion.StopReason.LENGTH);
    }

    private static Completion completion(
            TokenSequence prompt, TokenSequence tokens, double[] logProbs, Completion.StopReason reason) {
        TokenSequence response = tokens.slice(prompt.length(), tokens.length());
        return new Completion(prompt, response, Arrays.copyOf(logProbs, response.length()), reason);
    }

    private void requireSupported(TokenSequence prompt, Sampling sampling) {
        boolean greedy = sampling.temperature() == 0;
        if (!(greedy || sampling.isExact()) || !sampling.stopStrings().isEmpty()) {
            throw new IllegalArgumentException(
                    "a tabular policy samples exactly or greedily and stops at tokens, got " + sampling);
        }
        if (prompt.length() >= contextLength) {
            throw new IllegalArgumentException("a prompt of " + prompt.length()
                    + " tokens leaves no room for a response in a context of " + contextLength);
        }
    }

    private static int draw(double[] logProbs, double uniform) {
        double cumulative = 0;
        for (int token = 0; token < logProbs.length; token++) {
            cumulative += Math.exp(logProbs[token]);
            if (uniform < cumulative) {
                return token;
            }
        }
        return argmax(logProbs); // the probabilities add up to a rounding error less than 1
    }

    private static int argmax(double[] values) {
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            best = values[i] > values[best] ? i : best;
        }
        return best;
    }

    @Override
    public TokenScores score(SequenceBatch batch) {
        return forward(batch).scores();
    }

    @Override
    public ForwardPass forward(SequenceBatch batch) {
        return new Pass(batch, null);
    }

    /**
     * {@inheritDoc}
     *
     * @param reference a tabular policy over as many tokens
     */
    @Override
    public ForwardPass forward(SequenceBatch batch, Policy reference) {
        return new Pass(batch, tabular(reference));
    }

    @Override
    public void requireKlTo(Policy reference) {
        tabular(reference);
    }

    final TabularPolicy tabular(Policy reference) {
        if (!(reference instanceof TabularPolicy other)) {
            throw new IllegalArgumentException("a tabular policy compares its distributions with those of a tabular"
                    + " reference, got " + reference.getClass().getName());
        }
        if (other.tokenizer.vocabularySize() != tokenizer.vocabularySize()) {
            throw new IllegalArgumentException(
                    "an exact KL compares distributions over one vocabulary; the policy's has "
                            + tokenizer.vocabularySize() + " tokens, the reference's "
                            + other.tokenizer.vocabularySize());
        }
        return other;
    }

    @Override
    public UpdateReport update(double learningRate) {
        return table.update(learningRate);
    }

    @Override
    public void saveState(Path directory) throws IOException {
        table.save(directory);
    }

    @Override
    public void restoreState(Path directory) throws IOException {
        table.restore(directory);
    }

    /** log softmax of the first V entries divided by τ. */
    private double[] logSoftmax(double[] parameters, double temperature) {
        double[] scaled = new double[tokenizer.vocabularySize()];
        Arrays.setAll(scaled, v -> parameters[v] / temperature);
        double largest = Arrays.stream(scaled).max().orElseThrow();
        double logSum = largest
                + Math.log(Arrays.stream(scaled).map(s -> Math.exp(s - largest)).sum());
        Arrays.setAll(scaled, v -> scaled[v] - logSum);
        return scaled;
    }

    /** log π(·|what is before it) of each scored token, by sequence. */
    private double[][][] distributions(SequenceBatch batch) {
        double[][][] logProbs = new double[batch.size()][][];
        for (int i = 0; i < logProbs.length; i++) {
            ScoredSequence sequence = batch.sequences().get(i);
            logProbs[i] = new double[sequence.scoredCount()][];
            for (int t = 0; t < logProbs[i].length; t++) {
                TokenSequence key = context.key(sequence.tokens(), sequence.position(t));
                logProbs[i][t] = logSoftmax(table.parameters(key), batch.temperature());
            }
        }
        return logProbs;
    }

    /** Σ p·(log p − log q). */
    private static double kl(double[] logP, double[] logQ) {
        double kl = 0;
        for (int v = 0; v < logP.length; v++) {
            kl += Math.exp(logP[v]) * (logP[v] - logQ[v]);
        }
        return kl;
    }

    /** Scores with what the backward pass needs: the log-distribution at each scored token, and the reference's. */
    final class Pass implements ForwardPass {

        private final SequenceBatch batch;
        private final double[][][] distributions;
        private final double @Nullable [][][] references;
        private final TokenScores scores;
        private boolean spent;

        Pass(SequenceBatch batch, @Nullable TabularPolicy reference) {
            this.batch = batch;
            this.distributions = distributions(batch);
            this.references = reference == null ? null : reference.distributions(batch);
            this.scores = new TokenScores(
                    new double[batch.size()][],
                    new double[batch.size()][],
                    reference == null ? null : new double[batch.size()][]);
            for (int i = 0; i < batch.size(); i++) {
                score(i, batch.sequences().get(i));
            }
        }

        private void score(int i, ScoredSequence sequence) {
            int count = sequence.scoredCount();
            scores.logProbs()[i] = new double[count];
            scores.entropies()[i] = new double[count];
            for (int t = 0; t < count; t++) {
                double[] logProbs = distributions[i][t];
                scores.logProbs()[i][t] = logProbs[sequence.tokens().get(sequence.position(t))];
                scores.entropies()[i][t] =
                        -Arrays.stream(logProbs).map(l -> Math.exp(l) * l).sum();
            }
            if (references != null && scores.kls() != null) {
                scores.kls()[i] = new double[count];
                for (int t = 0; t < count; t++) {
                    scores.kls()[i][t] = kl(distributions[i][t], references[i][t]);
                }
            }
        }

        @Override
        public TokenScores scores() {
            return scores;
        }

        /** dz_v = (dlogProb·(1{v = y} − p_v) − dentropy·p_v·(log p_v + H) + dkl·p_v·(log p_v − log q_v − KL))/τ. */
        @Override
        public void backward(TokenGradients gradients) {
            requireUnspent();
            batch.checkShape("dLogProbs", gradients.dLogProbs());
            double[][] dEntropies = gradients.dEntropies();
            if (dEntropies != null) {
                batch.checkShape("dEntropies", dEntropies);
            }
            double[][] dKls = gradients.dKls();
            if (dKls != null) {
                requireReference();
                batch.checkShape("dKls", dKls);
            }
            for (int i = 0; i < batch.size(); i++) {
                for (int t = 0; t < distributions[i].length; t++) {
                    backward(i, t, gradients.dLogProbs()[i][t], dEntropies == null ? 0 : dEntropies[i][t]);
                    if (dKls != null) {
                        backwardOfKl(i, t, dKls[i][t]);
                    }
                }
            }
        }

        private void requireReference() {
            if (references == null) {
                throw new IllegalArgumentException("this pass has no KL to a reference, so there is none to take dKls;"
                        + " forward(batch, reference) gives a pass that has");
            }
        }

        private void backward(int i, int t, double dLogProb, double dEntropy) {
            double[] gradient = gradient(i, t);
            int token = batch.sequences()
                    .get(i)
                    .tokens()
                    .get(batch.sequences().get(i).position(t));
            double entropy = scores.entropies()[i][t];
            for (int v = 0; v < distributions[i][t].length; v++) {
                double logProb = distributions[i][t][v];
                double p = Math.exp(logProb);
                double dLogit = dLogProb * ((v == token ? 1 : 0) - p) - dEntropy * p * (logProb + entropy);
                gradient[v] += dLogit / batch.temperature();
            }
        }

        private void backwardOfKl(int i, int t, double dKl) {
            double[] gradient = gradient(i, t);
            double[] logP = distributions[i][t];
            double[] logQ = references[i][t];
            double kl = kl(logP, logQ);
            for (int v = 0; v < logP.length; v++) {
                gradient[v] += dKl * Math.exp(logP[v]) * (logP[v] - logQ[v] - kl) / batch.temperature();
            }
        }

        private double[] gradient(int i, int t) {
            ScoredSequence sequence = batch.sequences().get(i);
            return table.gradient(context.key(sequence.tokens(), sequence.position(t)));
        }

        private void requireUnspent() {
            if (spent) {
                throw new IllegalStateException("a pass goes backward once, and not after it was closed");
            }
            spent = true;
        }

        @Override
        public void close() {
            spent = true;
        }
    }
}
