package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.ppo.math.Ragged;
import java.util.List;
import org.junit.jupiter.api.Test;

class DescentCheckTest {

    private static final DescentCheck CHECK = new DescentCheck(GradientCheck.STANDARD);
    private static final TabularOptimizer DESCENT = new TabularOptimizer.Sgd();

    private static TabularPolicy policy(TabularOptimizer optimizer) {
        return TabularPolicy.random(PpoFixture.LETTERS, TabularContext.LAST_TOKEN, 16, optimizer, 3, 0.8);
    }

    private static final SequenceBatch BATCH = batch();

    private static SequenceBatch batch() {
        List<Completion> completions =
                policy(DESCENT).complete(List.of(PpoFixture.PROMPTS.get(0).tokens()), PpoFixture.SAMPLING, 4);
        return SequenceBatch.ofCompletions(completions, 0.7);
    }

    private static double[][] weights(long seed) {
        double[][] weights = policy(DESCENT).score(BATCH).logProbs();
        for (int i = 0; i < weights.length; i++) {
            for (int t = 0; t < weights[i].length; t++) {
                weights[i][t] = RandomKey.of(seed).child(i).child(t).gaussian();
            }
        }
        return weights;
    }

    @Test
    void tabularModelsPass() {
        CHECK.policy(() -> policy(DESCENT), BATCH, new TokenGradients(weights(1)));
        CHECK.policy(() -> policy(DESCENT), BATCH, new TokenGradients(weights(1), weights(2)));
        CHECK.policy(() -> policy(DESCENT), REFERENCE, BATCH, new TokenGradients(weights(1), weights(2), weights(4)));
        CHECK.valueFunction(() -> new TabularValueFunction(TabularContext.LAST_TOKEN, DESCENT), BATCH, weights(3));
    }

    private static final TabularPolicy REFERENCE =
            TabularPolicy.random(PpoFixture.LETTERS, TabularContext.LAST_TOKEN, 16, DESCENT, 5, 0.8);

    /** Its backward pass forgets a factor of the gradient of the KL. */
    private static final class HalfTheKl extends TabularPolicy {

        HalfTheKl() {
            super(PpoFixture.LETTERS, TabularContext.LAST_TOKEN, 16, new StateTable(3, DESCENT, RandomKey.of(3), 0.8));
        }

        @Override
        public ForwardPass forward(SequenceBatch batch, Policy reference) {
            ForwardPass sound = super.forward(batch, reference);
            return new ForwardPass() {
                @Override
                public TokenScores scores() {
                    return sound.scores();
                }

                @Override
                public void backward(TokenGradients gradients) {
                    double[][] dKls = Ragged.map(gradients.dKls(), d -> d / 2);
                    sound.backward(new TokenGradients(gradients.dLogProbs(), null, dKls));
                }

                @Override
                public void close() {
                    sound.close();
                }
            };
        }
    }

    @Test
    void aGradientOfAnotherKlIsFound() {
        assertThatThrownBy(() -> CHECK.policy(
                        HalfTheKl::new, REFERENCE, BATCH, new TokenGradients(weights(1), null, weights(4))))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("policy along the rate of an update");
    }

    /** Its backward pass forgets a factor of the entropies' gradient. */
    private static class HalfTheEntropy extends TabularPolicy {

        HalfTheEntropy() {
            super(PpoFixture.LETTERS, TabularContext.LAST_TOKEN, 16, new StateTable(3, DESCENT, RandomKey.of(3), 0.8));
        }

        @Override
        public ForwardPass forward(SequenceBatch batch) {
            ForwardPass sound = super.forward(batch);
            return new ForwardPass() {
                @Override
                public TokenScores scores() {
                    return sound.scores();
                }

                @Override
                public void backward(TokenGradients gradients) {
                    double[][] dEntropies = Ragged.map(gradients.dEntropies(), d -> d / 2);
                    sound.backward(new TokenGradients(gradients.dLogProbs(), dEntropies));
                }

                @Override
                public void close() {
                    sound.close();
                }
            };
        }
    }

    @Test
    void aGradientOfAnotherLossIsFound() {
        assertThatThrownBy(() -> CHECK.policy(HalfTheEntropy::new, BATCH, new TokenGradients(weights(1), weights(2))))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("policy along the rate of an update")
                .hasMessageContaining("at 1 of 1 coordinates");
    }

    @Test
    void anUpdateThatIsNoPlainDescentIsFound() {
        assertThatThrownBy(() -> CHECK.policy(
                        () -> policy(TabularOptimizer.Adam.defaults()), BATCH, new TokenGradients(weights(1))))
                .isInstanceOf(AssertionError.class);
        assertThatThrownBy(() -> CHECK.valueFunction(
                        () -> new TabularValueFunction(TabularContext.LAST_TOKEN, TabularOptimizer.Adam.defaults()),
                        BATCH,
                        weights(3)))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("value function along the rate");
    }

    @Test
    void aClippedGradientCannotBeChecked() {
        assertThatThrownBy(() -> CHECK.policy(
                        () -> new HalfTheEntropy() {
                            @Override
                            public UpdateReport update(double rate) {
                                return new UpdateReport(super.update(rate).gradientNorm(), true);
                            }
                        },
                        BATCH,
                        new TokenGradients(weights(1), weights(2))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("must not clip");
    }
}
