package io.github.rlhf4j.transformer;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.transformer.generation.DecodingSession;
import io.github.rlhf4j.transformer.kernels.WeightFormat;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

/** Decoding on weights of a byte each: packed ones in float32, those of the ND4J kernels in double. */
class Int8DecodingTest {

    /**
     * Of the logits' standard deviation. Rounding moves a weight by up to max |w| / 254, uniformly: a deviation of max |w| / 440,
     * 0.6 % of the weights' own where the largest of a channel is 2.5 of them. The products of two blocks and the head, nine
     * in a row, are off by √9 times that at most, 2 %; less as the residual stream passes them by.
     */
    private static final double TOLERANCE = 0.02;

    private static final int TOKENS = 23;
    private static final TransformerConfig CONFIG = TransformerConfig.gpt2(TOKENS, 32, 32, 2, 4);

    /** A model that has learned to count on, by one or by two. */
    private static TransformerPolicy counting(DataType type) {
        TransformerPolicy policy =
                TransformerPolicy.create(CONFIG, TestModels.ids(TOKENS), AdamWConfig.gpt3(), 1, type);
        List<ScoredSequence> texts = new ArrayList<>();
        for (int i = 0; i < 24; i++) {
            texts.add(ScoredSequence.ofText(count(i, 1 + i % 2, 24)));
        }
        double[][] weights = texts.stream()
                .map(text -> filled(text.tokens().length() - 1, 1.0 / (24 * 23)))
                .toArray(double[][]::new);
        for (int step = 0; step < 60; step++) {
            policy.accumulate(new SequenceBatch(texts), weights, null);
            policy.update(1e-2);
        }
        return policy;
    }

    private static double[] filled(int length, double value) {
        double[] array = new double[length];
        Arrays.fill(array, value);
        return array;
    }

    private static TokenSequence count(int from, int step, int length) {
        return TokenSequence.of(
                IntStream.range(0, length).map(t -> (from + step * t) % TOKENS).toArray());
    }

    /** The logits that follow {@code begun} tokens of a sequence, then each further one. */
    private static float[][] logits(
            TransformerPolicy policy, WeightFormat format, List<TokenSequence> sequences, int begun, int of) {
        List<float[]> rows = new ArrayList<>();
        try (DecodingSession session = policy.openSession(format)) {
            rows.add(
                    session.start(sequences.stream().map(s -> s.slice(0, begun)).toList())[of].clone());
            int[] all = IntStream.range(0, sequences.size()).toArray();
            for (int t = begun; t < sequences.get(0).length(); t++) {
                int place = t;
                int[] next = sequences.stream().mapToInt(s -> s.get(place)).toArray();
                rows.add(session.advance(all, next)[of].clone());
            }
        }
        return rows.toArray(float[][]::new);
    }

    /** Root of the mean square of the differences, over the deviation of what is expected. */
    private static double distance(float[][] actual, float[][] expected) {
        double difference = 0;
        double sum = 0;
        double squares = 0;
        int count = 0;
        for (int i = 0; i < expected.length; i++) {
            for (int v = 0; v < expected[i].length; v++) {
                difference += Math.pow(actual[i][v] - expected[i][v], 2);
                sum += expected[i][v];
                squares += Math.pow(expected[i][v], 2);
                count++;
            }
        }
        return Math.sqrt(difference / (squares - sum * sum / count));
    }

    @Test
    void logitsAreCloseToThoseOfTheWeightsThemselves() {
        for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE)) {
            try (TransformerPolicy policy = counting(type)) {
                List<TokenSequence> one = List.of(TestModels.sequence(2, 20, TOKENS));
                float[][] exact = logits(policy, WeightFormat.FLOAT32, one, 3, 0);
                float[][] rounded = logits(policy, WeightFormat.INT8, one, 3, 0);
                assertThat(distance(rounded, exact)).as("%s", type).isBetween(1e-4, TOLERANCE);
            }
        }
    }

    @Test
    void theLikeliestTokensAreMostlyTheSame() {
        for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE)) {
            try (TransformerPolicy policy = counting(type)) {
                List<TokenSequence> prompts = IntStream.range(0, 20)
                        .mapToObj(i -> count(i, 1 + i % 2, 4))
                        .toList();
                Sampling greedy = Sampling.greedy(16, Set.of());
                List<Completion> exact = policy.complete(prompts, greedy, 1);
                List<Completion> rounded = policy.generator(WeightFormat.INT8).complete(prompts, greedy, 1);
                long same = IntStream.range(0, 20)
                        .filter(i ->
                                exact.get(i).response().equals(rounded.get(i).response()))
                        .count();
                assertThat(same).as("%s", type).isGreaterThanOrEqualTo(18);
                assertThat(exact.get(0).response().slice(0, 6)).isEqualTo(count(4, 1, 6));
            }
        }
    }

    /** Prompts go through BLAS together, whose last bits depend on their number; what is decoded depends on nobody. */
    @Test
    void whoIsDecodedAlongsideDoesNotChangeABit() {
        try (TransformerPolicy policy = TestModels.inFloat(CONFIG, 3)) {
            for (WeightFormat format : WeightFormat.values()) {
                float[][] together = decoded(policy, format, 0, 1, 2, 3, 4, 5, 6);
                for (int i : new int[] {0, 4, 6}) {
                    assertThat(decoded(policy, format, i)[0]).isEqualTo(together[i]);
                }
            }
        }
    }

    /** Of seven prompts that were started, some are continued by five tokens: the logits after them. */
    private static float[][] decoded(TransformerPolicy policy, WeightFormat format, int... numbers) {
        List<TokenSequence> prompts = IntStream.range(0, 7)
                .mapToObj(i -> TestModels.sequence(10 + i, 5, TOKENS))
                .toList();
        try (DecodingSession session = policy.openSession(format)) {
            session.start(prompts);
            for (int t = 0; t < 4; t++) {
                session.advance(numbers, numbers);
            }
            float[][] logits = session.advance(numbers, numbers);
            return Arrays.stream(logits).map(float[]::clone).toArray(float[][]::new);
        }
    }

    /** A prompt goes through the float weights, what is appended through the rounded ones. */
    @Test
    void aPromptAtOnceAndTokenByTokenAgree() {
        try (TransformerPolicy policy = counting(DataType.FLOAT)) {
            List<TokenSequence> one = List.of(TestModels.sequence(5, 20, TOKENS));
            float[][] byToken = logits(policy, WeightFormat.INT8, one, 1, 0);
            float[][] atOnce = logits(policy, WeightFormat.INT8, one, 12, 0);
            assertThat(distance(Arrays.copyOfRange(byToken, 11, 20), atOnce)).isLessThan(TOLERANCE);
        }
    }

    @Test
    void aPolicyThatWasTrainedOnDecodesAsItIsNow() {
        try (TransformerPolicy policy = TestModels.inFloat(CONFIG, 3)) {
            List<TokenSequence> one = List.of(TestModels.sequence(5, 20, TOKENS));
            for (WeightFormat format : WeightFormat.values()) {
                float[][] before = logits(policy, format, one, 4, 0);
                policy.accumulate(
                        new SequenceBatch(List.of(ScoredSequence.ofText(one.get(0)))),
                        new double[][] {filled(19, 1)},
                        null);
                policy.update(1e-2);
                float[][] after = logits(policy, format, one, 4, 0);
                try (TransformerPolicy copy = policy.copy()) {
                    assertThat(after).isNotEqualTo(before).isEqualTo(logits(copy, format, one, 4, 0));
                }
            }
        }
    }

    /** Weights are packed again only when a change was told. */
    @Test
    void whoWritesToWeightsSaysSo() {
        try (TransformerPolicy policy = TestModels.inFloat(CONFIG, 3)) {
            TokenSequence prompt = TestModels.sequence(5, 6, TOKENS);
            float[] before = logits(policy, WeightFormat.INT8, List.of(prompt), 1, 0)[1];
            policy.parameters().get("transformer.h.1.mlp.c_fc.weight").value().muli(2);
            assertThat(logits(policy, WeightFormat.INT8, List.of(prompt), 1, 0)[1])
                    .isEqualTo(before);
            policy.parameters().changed();
            assertThat(logits(policy, WeightFormat.INT8, List.of(prompt), 1, 0)[1])
                    .isNotEqualTo(before);
        }
    }
}
