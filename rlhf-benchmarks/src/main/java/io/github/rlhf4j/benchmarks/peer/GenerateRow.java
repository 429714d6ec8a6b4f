package io.github.rlhf4j.benchmarks.peer;

import io.github.rlhf4j.benchmarks.work.Job;
import io.github.rlhf4j.transformer.kernels.WeightFormat;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/**
 * Greedy completions with a key-value cache.
 *
 * @param shape of the model
 * @param prompts completed together
 * @param weights ours; the peer's are float32
 */
record GenerateRow(String name, Goal goal, TransformerConfig shape, int prompts, WeightFormat weights) implements Row {

    private static final int PROMPT_TOKENS = 16;
    private static final int NEW_TOKENS = 128;

    @Override
    public String work() {
        return "generation, GPT-2 124M, batch " + prompts + ", 16 tokens of prompt, 128 new tokens"
                + (weights == WeightFormat.INT8 ? "; ours on int8 weights" : "");
    }

    @Override
    public Result measure(Bench bench) throws IOException {
        Path directory = bench.directory(name);
        Models.write(directory, shape);
        Models.writeSequences(directory, shape.vocabularySize(), Models.equalLengths(prompts, PROMPT_TOKENS));
        Job job = bench.job("generate", directory, Map.of(Job.NEW_TOKENS, NEW_TOKENS))
                .withVariant(weights.name());
        Comparison times = bench.compare(job, new Plan(1, prompts == 1 ? 5 : 3, 1));
        return Result.measured(
                this, rate(times.ours().median()), rate(times.peer().median()), times.ratio(), "");
    }

    private String rate(double seconds) {
        return Figures.rate((double) prompts * NEW_TOKENS, seconds, "tokens");
    }
}
