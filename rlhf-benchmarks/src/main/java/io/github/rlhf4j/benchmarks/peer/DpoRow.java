package io.github.rlhf4j.benchmarks.peer;

import io.github.rlhf4j.benchmarks.work.DpoWork;
import io.github.rlhf4j.benchmarks.work.Job;
import io.github.rlhf4j.benchmarks.work.SequenceFile;
import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.RoleChatFormat;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.data.PreferenceFiles;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Steps of direct preference optimisation on questions for words, the dictionary's answer preferred to another word's. Both
 * sides ask a reference policy of their own at each step, which is TRL's default.
 */
record DpoRow(Goal goal) implements Row {

    private static final int BATCH = 16;
    private static final int CONTEXT = 256;

    /** Batches of a request: a whole epoch, so that both sides see the same tokens whatever their order. */
    private static final int STEPS = 10;

    @Override
    public String name() {
        return "dpo";
    }

    @Override
    public String work() {
        return "DPO step: 16 ragged pairs (WordNet), 4 layers × 256, reference scored at each step";
    }

    @Override
    public Result measure(Bench bench) throws IOException {
        Path directory = bench.directory(name());
        Tokenizer tokenizer = Glosses.tokenizer();
        Models.write(directory, TransformerConfig.gpt2(tokenizer.vocabularySize(), CONTEXT, 256, 4, 4), tokenizer);
        PreferenceDataset preferences = Glosses.preferences(STEPS * BATCH);
        PreferenceFiles.write(directory.resolve(DpoWork.PREFERENCES), preferences);
        SequenceFile.write(directory, sequences(preferences, new RoleChatFormat(tokenizer)));
        Job job = bench.job("dpo", directory, Map.of(Job.BATCH, BATCH));
        Comparison times = bench.compare(job, new Plan(1, 5, STEPS));
        return Result.measured(this, times, "");
    }

    /** Chosen and rejected response in turns. */
    static List<ScoredSequence> sequences(PreferenceDataset preferences, ChatFormat format) {
        List<ScoredSequence> sequences = new ArrayList<>();
        for (Ranking ranking : preferences) {
            sequences.add(format.exchange(ranking.exchange(0)));
            sequences.add(format.exchange(ranking.exchange(1)));
        }
        return sequences;
    }
}
