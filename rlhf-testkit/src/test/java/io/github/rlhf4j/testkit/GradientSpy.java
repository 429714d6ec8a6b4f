package io.github.rlhf4j.testkit;

import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.random.RandomKey;
import java.util.ArrayList;
import java.util.List;

/** A policy that remembers what it was trained on. */
class GradientSpy extends TabularPolicy {

    final List<SequenceBatch> batches = new ArrayList<>();
    final List<double[][]> gradients = new ArrayList<>();

    /** A uniform policy. */
    GradientSpy() {
        this(new StateTable(3, new TabularOptimizer.Sgd(), RandomKey.of(0), 0));
    }

    GradientSpy(StateTable table) {
        super(PpoFixture.LETTERS, TabularContext.WHOLE_PREFIX, 16, table);
    }

    @Override
    public ForwardPass forward(SequenceBatch batch) {
        return watched(batch, super.forward(batch));
    }

    @Override
    public ForwardPass forward(SequenceBatch batch, Policy reference) {
        return watched(batch, super.forward(batch, reference));
    }

    private ForwardPass watched(SequenceBatch batch, ForwardPass pass) {
        return new ForwardPass() {
            @Override
            public TokenScores scores() {
                return pass.scores();
            }

            @Override
            public void backward(TokenGradients passed) {
                batches.add(batch);
                gradients.add(passed.dLogProbs());
                pass.backward(passed);
            }

            @Override
            public void close() {
                pass.close();
            }
        };
    }
}
