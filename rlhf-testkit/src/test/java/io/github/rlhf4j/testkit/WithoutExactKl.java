package io.github.rlhf4j.testkit;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.CompletionListener;
import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.TrainablePolicy;
import io.github.rlhf4j.core.UpdateReport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A policy that keeps its distributions to itself. */
record WithoutExactKl(TabularPolicy policy) implements TrainablePolicy {

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

    @Override
    public UpdateReport update(double learningRate) {
        return policy.update(learningRate);
    }

    @Override
    public void saveState(Path directory) throws IOException {
        policy.saveState(directory);
    }

    @Override
    public void restoreState(Path directory) throws IOException {
        policy.restoreState(directory);
    }
}
