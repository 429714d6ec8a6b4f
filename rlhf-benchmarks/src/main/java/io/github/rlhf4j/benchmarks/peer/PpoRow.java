package io.github.rlhf4j.benchmarks.peer;

import io.github.rlhf4j.benchmarks.work.Job;
import io.github.rlhf4j.benchmarks.work.SequenceFile;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Iterations of PPO: rollout, scores of reward, value and reference models, updates. */
record PpoRow(Goal goal) implements Row {

    private static final int PROMPTS = 64;
    private static final int PROMPT_TOKENS = 16;
    private static final int NEW_TOKENS = 64;
    private static final int EPOCHS = 4;
    private static final int CONTEXT = 512;

    @Override
    public String name() {
        return "ppo";
    }

    @Override
    public String work() {
        return "PPO iteration: 64 prompts × 64 new tokens, 4 epochs, four models of 4 layers × 256";
    }

    @Override
    public Result measure(Bench bench) throws IOException {
        Path directory = bench.directory(name());
        Tokenizer tokenizer = Glosses.tokenizer();
        Models.write(directory, TransformerConfig.gpt2(tokenizer.vocabularySize(), CONTEXT, 256, 4, 4), tokenizer);
        SequenceFile.write(directory, prompts(tokenizer));
        Job job = bench.job("ppo", directory, Map.of(Job.NEW_TOKENS, NEW_TOKENS, Job.EPOCHS, EPOCHS));
        Comparison times = bench.compare(job, new Plan(1, 3, 1));
        return Result.measured(this, times, "");
    }

    private static List<ScoredSequence> prompts(Tokenizer tokenizer) {
        return Glosses.texts().stream()
                .map(tokenizer::encode)
                .filter(tokens -> tokens.length() >= PROMPT_TOKENS)
                .limit(PROMPTS)
                .map(tokens -> ScoredSequence.ofText(tokens.slice(0, PROMPT_TOKENS)))
                .toList();
    }
}
