package io.github.rlhf4j.benchmarks.work;

import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.RoleChatFormat;
import io.github.rlhf4j.core.data.DemonstrationFiles;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import io.github.rlhf4j.transformer.training.LearningRatePlan;
import io.github.rlhf4j.transformer.training.SftConfig;
import io.github.rlhf4j.transformer.training.SftTrainer;
import java.io.IOException;
import java.util.List;

/** Steps of supervised fine-tuning on real demonstrations of all lengths. */
public final class SftWork implements Work {

    /** File of the demonstrations, lines {@code {"prompt": …, "response": …}}. */
    public static final String DEMONSTRATIONS = "demonstrations.jsonl";

    private static final int EPOCHS = 10_000;

    private final TransformerPolicy policy;
    private final SftTrainer trainer;
    private final Job job;

    SftWork(Job job) throws IOException {
        this.job = job;
        policy = TransformerPolicy.load(job.file(Job.MODEL), AdamWConfig.gpt3());
        ChatFormat format = new RoleChatFormat(policy.tokenizer());
        SftConfig config = SftConfig.defaults(EPOCHS, policy.contextLength())
                .withBatchSize(job.size(Job.BATCH))
                .withLearningRate(LearningRatePlan.constant(1e-5))
                .withEvaluateEvery(0);
        trainer = new SftTrainer(policy, format, DemonstrationFiles.read(job.file(DEMONSTRATIONS)), List.of(), config);
    }

    @Override
    public double check() throws IOException {
        return Losses.mean(policy, SequenceFile.read(job.file("")).subList(0, job.size(Job.BATCH)));
    }

    @Override
    public void run(int steps) {
        for (int i = 0; i < steps; i++) {
            trainer.step();
        }
    }
}
