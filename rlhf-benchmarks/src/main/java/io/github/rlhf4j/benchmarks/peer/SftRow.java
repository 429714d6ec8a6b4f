package io.github.rlhf4j.benchmarks.peer;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rlhf4j.benchmarks.work.Job;
import io.github.rlhf4j.benchmarks.work.SequenceFile;
import io.github.rlhf4j.benchmarks.work.SftWork;
import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Demonstration;
import io.github.rlhf4j.core.RoleChatFormat;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Steps of supervised fine-tuning on questions for words and the dictionary's answers. */
record SftRow(Goal goal) implements Row {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int BATCH = 32;
    private static final int CONTEXT = 256;

    /** Batches of a request: a whole epoch, so that both sides see the same tokens whatever their order. */
    private static final int STEPS = 10;

    @Override
    public String name() {
        return "sft";
    }

    @Override
    public String work() {
        return "SFT step: 32 ragged demonstrations (WordNet), 4 layers × 256, loss on the answers";
    }

    @Override
    public Result measure(Bench bench) throws IOException {
        Path directory = bench.directory(name());
        Tokenizer tokenizer = Glosses.tokenizer();
        Models.write(directory, TransformerConfig.gpt2(tokenizer.vocabularySize(), CONTEXT, 256, 4, 4), tokenizer);
        List<Demonstration> demonstrations = Glosses.demonstrations(STEPS * BATCH);
        writeDemonstrations(directory, demonstrations);
        ChatFormat format = new RoleChatFormat(tokenizer);
        SequenceFile.write(
                directory, demonstrations.stream().map(format::demonstration).toList());
        Job job = bench.job("sft", directory, Map.of(Job.BATCH, BATCH));
        Comparison times = bench.compare(job, new Plan(1, 5, STEPS));
        return Result.measured(this, times, "");
    }

    private static void writeDemonstrations(Path directory, List<Demonstration> demonstrations) throws IOException {
        List<String> lines = new ArrayList<>();
        for (Demonstration demonstration : demonstrations) {
            lines.add(JSON.writeValueAsString(Map.of(
                    "prompt", demonstration.conversation().lastUserText(),
                    "response", demonstration.conversation().last().content())));
        }
        Files.write(directory.resolve(SftWork.DEMONSTRATIONS), lines);
    }
}
