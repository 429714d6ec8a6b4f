package io.github.rlhf4j.benchmarks.peer;

import io.github.rlhf4j.transformer.model.TransformerConfig;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * A series of training steps in which one number grows.
 *
 * @param file name of the chart's file
 * @param quantity what grows, with its letter
 * @param values of it, each twice the one before or so
 * @param point the training at a value
 */
record Scaling(String file, String quantity, List<Integer> values, IntFunction<Point> point) {

    private static final int TOKENS = 4096;

    /**
     * One training.
     *
     * @param lengths of the batch's sequences, tokens
     */
    record Point(TransformerConfig shape, int[] lengths) {

        static Point of(int vocabulary, int width, int sequences, int length) {
            TransformerConfig shape = TransformerConfig.gpt2(vocabulary, length, width, 4, width / 64);
            return new Point(shape, Models.equalLengths(sequences, length));
        }

        int tokens() {
            return Arrays.stream(lengths).sum();
        }
    }

    /** The growths that are plotted, around 4 layers of width 256 and 16 sequences of 256 of 4,096 tokens. */
    static List<Scaling> all() {
        return List.of(
                new Scaling(
                        "length",
                        "sequence length T, at 4,096 tokens a batch",
                        doubling(64, 2048),
                        t -> Point.of(4096, 256, Math.max(1, TOKENS / t), t)),
                new Scaling(
                        "batch",
                        "sequences a batch B, of 256 tokens",
                        doubling(1, 32),
                        b -> Point.of(4096, 256, b, 256)),
                new Scaling("width", "width C", doubling(64, 1024), c -> Point.of(4096, c, 16, 256)),
                new Scaling("vocabulary", "vocabulary V", doubling(512, 65536), v -> Point.of(v, 256, 16, 256)));
    }

    /** As the series, with its ends and its middle only. */
    Scaling quick() {
        int last = values.size() - 1;
        return new Scaling(file, quantity, List.of(values.get(0), values.get(last / 2), values.get(last)), point);
    }

    private static List<Integer> doubling(int first, int last) {
        return IntStream.iterate(first, value -> value <= last, value -> 2 * value)
                .boxed()
                .toList();
    }
}
