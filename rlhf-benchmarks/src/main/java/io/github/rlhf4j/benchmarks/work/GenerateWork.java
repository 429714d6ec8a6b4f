package io.github.rlhf4j.benchmarks.work;

import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.generation.Generator;
import io.github.rlhf4j.transformer.kernels.WeightFormat;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.io.IOException;
import java.util.List;
import java.util.Set;

/** Greedy completions of a number of prompts; a step is one call for all of them. */
final class GenerateWork implements Work {

    private final TransformerPolicy policy;
    private final List<ScoredSequence> sequences;
    private final List<TokenSequence> prompts;
    private final Sampling sampling;
    private final Generator generator;

    GenerateWork(Job job) throws IOException {
        policy = TransformerPolicy.load(job.file(Job.MODEL), AdamWConfig.gpt3());
        sequences = SequenceFile.read(job.file(""));
        prompts = sequences.stream().map(ScoredSequence::tokens).toList();
        sampling = Sampling.greedy(job.size(Job.NEW_TOKENS), Set.of());
        generator =
                policy.generator(job.variant().isEmpty() ? WeightFormat.FLOAT32 : WeightFormat.valueOf(job.variant()));
    }

    @Override
    public double check() {
        return Losses.mean(policy, sequences);
    }

    @Override
    public void run(int steps) {
        for (int i = 0; i < steps; i++) {
            generator.complete(prompts, sampling, i).forEach(completion -> {
                if (completion.response().length() != sampling.maxNewTokens()) {
                    throw new IllegalStateException("a completion has "
                            + completion.response().length() + " tokens, not " + sampling.maxNewTokens());
                }
            });
        }
    }
}
