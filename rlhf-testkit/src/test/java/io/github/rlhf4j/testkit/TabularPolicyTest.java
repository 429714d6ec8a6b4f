package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.TokenSequence;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TabularPolicyTest {

    private static final LetterTokenizer LETTERS = new LetterTokenizer(2);
    private static final TokenSequence PROMPT = LETTERS.encode("a");
    private static final Sampling SAMPLING = Sampling.exact(3, 0.7, Set.of(LETTERS.end()));

    private static TabularPolicy policy(TabularContext context) {
        return TabularPolicy.random(LETTERS, context, 8, new TabularOptimizer.Sgd(), 3, 1);
    }

    @ParameterizedTest
    @EnumSource
    void probabilitiesOfAllResponsesSumToOne(TabularContext context) {
        ResponseDistribution responses = policy(context).responses(PROMPT, SAMPLING);
        // end; xy… : 1 + 2 + 4 stopped within three tokens, 8 unstopped
        assertThat(responses.probabilities()).hasSize(15);
        assertThat(responses.expectation(y -> 1)).isCloseTo(1, offset(1e-12));
    }

    @ParameterizedTest
    @EnumSource
    void scoringGivesBackTheProbabilitiesThatAreListed(TabularContext context) {
        TabularPolicy policy = policy(context);
        policy.responses(PROMPT, SAMPLING).probabilities().forEach((response, probability) -> {
            SequenceBatch batch = new SequenceBatch(List.of(ScoredSequence.of(PROMPT, response)), 0.7);
            assertThat(Math.exp(policy.score(batch).sequenceLogProb(0))).isCloseTo(probability, offset(1e-12));
        });
    }

    @Test
    void samplesHaveTheListedFrequencies() {
        TabularPolicy policy = policy(TabularContext.WHOLE_PREFIX);
        int n = 20_000;
        Map<TokenSequence, Double> frequency = new HashMap<>();
        for (Completion completion : policy.complete(Collections.nCopies(n, PROMPT), SAMPLING, 5)) {
            frequency.merge(completion.response(), 1.0 / n, Double::sum);
        }
        policy.responses(PROMPT, SAMPLING).probabilities().forEach((response, probability) -> {
            double fiveSigma = 5 * Math.sqrt(probability * (1 - probability) / n);
            assertThat(frequency.getOrDefault(response, 0.0)).isCloseTo(probability, offset(fiveSigma));
        });
    }

    @Test
    void drawsDoNotDependOnBatchMates() {
        TabularPolicy policy = policy(TabularContext.WHOLE_PREFIX);
        Completion first = policy.complete(List.of(PROMPT), SAMPLING, 5).get(0);
        Completion again = policy.complete(List.of(PROMPT, LETTERS.encode("bb")), SAMPLING, 5)
                .get(0);
        assertThat(again.response()).isEqualTo(first.response());
        assertThat(again.logProbs()).isEqualTo(first.logProbs());
    }

    /** d(Σ w·logProb + Σ u·entropy) by moving parameters through plain gradient descent with a tiny rate. */
    @ParameterizedTest
    @EnumSource
    void theGradientIsThatOfLogProbsAndEntropies(TabularContext context) {
        ScoredSequence sequence = ScoredSequence.of(PROMPT, LETTERS.encode("bab"));
        SequenceBatch batch = new SequenceBatch(List.of(sequence), 0.7);
        double[][] dLogProbs = {{0.3, -1.2, 0.5}};
        double[][] dEntropies = {{-0.4, 0.1, 0.8}};
        double step = 1e-6;
        double before = objective(policy(context).score(batch), dLogProbs, dEntropies);
        TabularPolicy moved = policy(context);
        try (ForwardPass pass = moved.forward(batch)) {
            pass.backward(new TokenGradients(dLogProbs, dEntropies));
        }
        double norm = moved.update(step).gradientNorm();
        double slope = (before - objective(moved.score(batch), dLogProbs, dEntropies)) / step;
        // Descending a function along its own gradient g lowers it by rate·|g|² to first order.
        assertThat(slope).isCloseTo(norm * norm, offset(1e-4 * norm * norm));
        assertThat(norm).isGreaterThan(0.1);
    }

    private static double objective(TokenScores scores, double[][] dLogProbs, double[][] dEntropies) {
        double sum = 0;
        for (int t = 0; t < 3; t++) {
            sum += dLogProbs[0][t] * scores.logProbs()[0][t] + dEntropies[0][t] * scores.entropies()[0][t];
        }
        return sum;
    }

    @Test
    void aPassGoesBackwardOnce() {
        SequenceBatch batch = new SequenceBatch(List.of(ScoredSequence.of(PROMPT, LETTERS.encode("b"))));
        try (ForwardPass pass = policy(TabularContext.LAST_TOKEN).forward(batch)) {
            TokenGradients gradients = new TokenGradients(new double[][] {{1}});
            pass.backward(gradients);
            assertThatThrownBy(() -> pass.backward(gradients))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("once");
        }
    }

    @Test
    void aGradientThatIsNotFiniteMovesNothing() {
        TabularPolicy policy = policy(TabularContext.LAST_TOKEN);
        SequenceBatch batch = new SequenceBatch(List.of(ScoredSequence.of(PROMPT, LETTERS.encode("b"))));
        double before = policy.score(batch).logProbs()[0][0];
        try (ForwardPass pass = policy.forward(batch)) {
            pass.backward(new TokenGradients(new double[][] {{Double.NaN}}));
        }
        assertThatThrownBy(() -> policy.update(0.1)).isInstanceOf(DivergenceException.class);
        assertThat(policy.score(batch).logProbs()[0][0]).isEqualTo(before);
    }

    @Test
    void truncatedSamplingIsRefused() {
        assertThatThrownBy(() -> policy(TabularContext.LAST_TOKEN).complete(List.of(PROMPT), SAMPLING.withTopK(1), 0))
                .hasMessageContaining("samples exactly");
        assertThatThrownBy(() -> policy(TabularContext.LAST_TOKEN).responses(PROMPT, SAMPLING.withTopP(0.5)))
                .hasMessageContaining("exact sampling");
    }

    /** The tilted distribution beats the reference and any mixture with it at E[r] − β·KL. */
    @Test
    void theOptimumMaximisesRewardMinusKl() {
        ResponseDistribution reference = policy(TabularContext.WHOLE_PREFIX).responses(PROMPT, SAMPLING);
        double beta = 0.5;
        ResponseDistribution optimal = reference.optimal(TokenSequence::length, beta);
        double best = optimal.expectation(TokenSequence::length) - beta * optimal.kl(reference);
        // log-partition form of the optimum: β·log Z
        double logZ = Math.log(reference.expectation(y -> Math.exp(y.length() / beta)));
        assertThat(best).isCloseTo(beta * logZ, offset(1e-9));
        assertThat(reference.expectation(TokenSequence::length)).isLessThan(best);
        assertThat(reference.totalVariation(reference)).isZero();
        assertThat(reference.totalVariation(optimal)).isBetween(0.05, 1.0);
    }
}
