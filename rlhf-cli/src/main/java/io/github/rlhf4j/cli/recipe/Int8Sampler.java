package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.CompletionListener;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.generation.Generator;
import io.github.rlhf4j.transformer.kernels.WeightFormat;
import java.util.List;

/**
 * Draws what a policy says with its weights rounded to a byte each, as the policy is at the time. The log-probs that come with it
 * are those of the rounded weights.
 */
final class Int8Sampler implements Policy {

    private final TransformerPolicy policy;
    private final Generator generator;

    Int8Sampler(TransformerPolicy policy) {
        this.policy = policy;
        this.generator = policy.generator(WeightFormat.INT8);
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
        return generator.complete(prompts, sampling, seed);
    }

    @Override
    public List<Completion> complete(
            List<TokenSequence> prompts, Sampling sampling, long seed, CompletionListener listener) {
        return generator.complete(prompts, sampling, seed, listener);
    }

    /** @throws UnsupportedOperationException always: packed weights are for decoding, and trainers score with the policy */
    @Override
    public TokenScores score(SequenceBatch batch) {
        throw new UnsupportedOperationException("an int8 sampler only draws; score with the policy");
    }
}
