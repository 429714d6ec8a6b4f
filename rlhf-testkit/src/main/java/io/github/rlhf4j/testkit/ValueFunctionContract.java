package io.github.rlhf4j.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.ValueFunction;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What {@link ValueFunction} promises, as tests. Extend it and give your value function. */
public abstract class ValueFunctionContract {

    /** The value function under test; each call may give the same one. */
    protected abstract ValueFunction valueFunction();

    /**
     * Prompts with responses of different lengths, at least two; override where the ids 0 and 1 are not in the vocabulary or
     * where 6 tokens are more than the context.
     */
    protected SequenceBatch batch() {
        return new SequenceBatch(List.of(
                ScoredSequence.of(TokenSequence.of(0), TokenSequence.of(1, 0, 0)),
                ScoredSequence.of(TokenSequence.of(1, 0), TokenSequence.of(1)),
                ScoredSequence.of(TokenSequence.of(0, 1), TokenSequence.of(0, 1, 1, 0))));
    }

    /** How far apart rounding may bring two values that should be equal: this times max(1, |value|). */
    protected double tolerance() {
        return 1e-4;
    }

    @Test
    public void thereIsOneFiniteValuePerScoredToken() {
        double[][] values = valueFunction().values(batch());
        assertShape(batch(), values);
        for (int i = 0; i < values.length; i++) {
            int sequence = i;
            assertTrue(
                    Arrays.stream(values[i]).allMatch(Double::isFinite),
                    () -> "a value must be finite; those of sequence " + sequence + " are "
                            + Arrays.toString(values[sequence]));
        }
    }

    @Test
    public void batchMatesDoNotChangeAValue() {
        ValueFunction function = valueFunction();
        double[][] together = function.values(batch());
        for (int i = 0; i < together.length; i++) {
            assertRow(
                    together[i],
                    function.values(batch().select(i))[0],
                    "a sequence must have the same values alone as in a batch",
                    i);
        }
    }

    /** A baseline that knew the action would bias the policy's gradient. */
    @Test
    public void aValueKnowsNothingOfItsTokenNorOfThoseAfterIt() {
        ValueFunction function = valueFunction();
        double[][] values = function.values(batch());
        for (int i = 0; i < values.length; i++) {
            ScoredSequence sequence = batch().sequences().get(i);
            double[][] changed =
                    function.values(new SequenceBatch(List.of(withAnotherLastToken(sequence)), batch().temperature()));
            assertRow(values[i], changed[0], "a value must depend on the tokens before its own alone", i);
        }
    }

    private static ScoredSequence withAnotherLastToken(ScoredSequence sequence) {
        int[] tokens = sequence.tokens().toArray();
        int last = tokens.length - 1;
        tokens[last] = tokens[last] == 0 ? 1 : 0;
        int start = sequence.position(0);
        TokenSequence all = TokenSequence.of(tokens);
        return ScoredSequence.of(all.slice(0, start), all.slice(start, tokens.length));
    }

    final void assertRows(double[][] expected, double[][] actual, String rule) {
        assertEquals(expected.length, actual.length, rule + "; rows");
        for (int i = 0; i < expected.length; i++) {
            assertRow(expected[i], actual[i], rule, i);
        }
    }

    private void assertRow(double[] expected, double[] actual, String rule, int sequence) {
        assertEquals(expected.length, actual.length, rule + "; values of sequence " + sequence);
        for (int t = 0; t < expected.length; t++) {
            assertEquals(
                    expected[t],
                    actual[t],
                    tolerance() * Math.max(1, Math.abs(expected[t])),
                    rule + "; sequence " + sequence + ", scored token " + t);
        }
    }

    private static void assertShape(SequenceBatch batch, double[][] values) {
        assertEquals(batch.size(), values.length, "values must return one row per sequence; rows");
        for (int i = 0; i < values.length; i++) {
            assertEquals(
                    batch.sequences().get(i).scoredCount(),
                    values[i].length,
                    "values must return one value per scored token; values of sequence " + i);
        }
    }
}
