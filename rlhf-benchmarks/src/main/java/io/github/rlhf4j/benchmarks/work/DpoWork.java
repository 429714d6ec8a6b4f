package io.github.rlhf4j.benchmarks.work;

import io.github.rlhf4j.core.RoleChatFormat;
import io.github.rlhf4j.core.data.PreferenceFiles;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.ppo.preference.DpoConfig;
import io.github.rlhf4j.ppo.preference.DpoTrainer;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.io.IOException;

/** Steps of direct preference optimisation on real pairs of all lengths, the reference scored at each step. */
public final class DpoWork implements Work {

    /** File of the pairs, lines {@code {"prompt": …, "chosen": …, "rejected": …}}, chosen first. */
    public static final String PREFERENCES = "preferences.jsonl";

    private static final int EPOCHS = 10_000;

    private final TransformerPolicy policy;
    private final DpoTrainer trainer;
    private final Job job;

    DpoWork(Job job) throws IOException {
        this.job = job;
        policy = TransformerPolicy.load(job.file(Job.MODEL), AdamWConfig.gpt3());
        DpoConfig config = DpoConfig.defaults(EPOCHS, 1)
                .withBatchSize(job.size(Job.BATCH))
                .withReferenceScoring(DpoConfig.ReferenceScoring.EACH_STEP)
                .withSchedule(new LearningRateSchedule.Constant(1e-5))
                .withEvaluateEvery(0);
        trainer = DpoTrainer.builder()
                .config(config)
                .policy(policy)
                .reference(policy.copy())
                .format(new RoleChatFormat(policy.tokenizer()))
                .preferences(PreferenceFiles.read(job.file(PREFERENCES)))
                .build();
    }

    @Override
    public double check() throws IOException {
        return Losses.mean(policy, SequenceFile.read(job.file("")).subList(0, 2 * job.size(Job.BATCH)));
    }

    @Override
    public void run(int steps) {
        for (int i = 0; i < steps; i++) {
            trainer.step();
        }
    }
}
