package io.github.rlhf4j.benchmarks.peer;

import io.github.rlhf4j.transformer.kernels.WeightFormat;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The rows there are, with the goals of the project. */
final class Rows {

    private static final TransformerConfig SMALL = TransformerConfig.gpt2(4096, 256, 256, 4, 4);
    private static final TransformerConfig GPT2 = TransformerConfig.gpt2Small();

    private static final TrainRow TRAIN_GPT2 = new TrainRow(
            "train-gpt2",
            "training step, GPT-2 124M, 4 × 256 tokens",
            Goal.atMost(0.9),
            GPT2,
            Models.equalLengths(4, 256),
            new Plan(1, 3, 1),
            0.6);

    private static final List<Row> ALL = List.of(
            new GemmRow(),
            new TrainRow(
                    "train-small",
                    "training step, 4 layers × 256, vocabulary 4,096, 16 × 256 tokens",
                    Goal.atMost(0.8),
                    SMALL,
                    Models.equalLengths(16, 256),
                    new Plan(3, 7, 2),
                    0),
            TRAIN_GPT2,
            new TrainRow(
                    "ragged",
                    "training step as train-small, 16 lengths uniform in 16 … 256; the peer pads",
                    Goal.atMost(0.5),
                    SMALL,
                    Models.uniformLengths(16, 16, 256),
                    new Plan(3, 7, 2),
                    0),
            new GenerateRow("generate-1", Goal.atMost(0.5), GPT2, 1, WeightFormat.FLOAT32),
            new GenerateRow("generate-1-int8", Goal.NONE, GPT2, 1, WeightFormat.INT8),
            new GenerateRow("generate-32", Goal.atMost(0.5), GPT2, 32, WeightFormat.FLOAT32),
            new PpoRow(Goal.atMost(0.33)),
            new SftRow(Goal.atMost(0.6)),
            new DpoRow(Goal.atMost(0.6)),
            new BpeRow(Goal.atMost(1.0), false),
            new BpeRow(Goal.atMost(1.0), true),
            new MemoryRow(TRAIN_GPT2, Goal.atMost(0.7)),
            new ScalingRow());

    private Rows() {}

    static List<Row> all() {
        return ALL;
    }

    /**
     * The rows of these names, in the order of the table; all where none is named.
     *
     * @throws IllegalArgumentException naming one that does not exist, and those that do
     */
    static List<Row> named(List<String> names) {
        List<String> unknown = new ArrayList<>(names);
        unknown.removeAll(ALL.stream().map(Row::name).toList());
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException("there is no row " + unknown.get(0) + "; there are "
                    + ALL.stream().map(Row::name).collect(Collectors.joining(", ")));
        }
        return names.isEmpty()
                ? ALL
                : ALL.stream().filter(row -> names.contains(row.name())).toList();
    }
}
