package io.github.rlhf4j.benchmarks.work;

import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.transformer.TransformerPolicy;
import java.util.Arrays;
import java.util.List;

/** The language-model loss that both sides are compared by. */
final class Losses {

    private Losses() {}

    /** Mean of −log π over all scored tokens, nats. */
    static double mean(TransformerPolicy policy, List<ScoredSequence> sequences) {
        return -Arrays.stream(policy.score(new SequenceBatch(sequences)).logProbs())
                .flatMapToDouble(Arrays::stream)
                .average()
                .orElseThrow();
    }
}
