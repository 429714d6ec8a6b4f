package io.github.rlhf4j.benchmarks.work;

import java.io.IOException;

/** One kind of work, ready to be done. */
public interface Work {

    /**
     * What both sides must agree on before anything is timed: a mean loss in nats, a number of tokens.
     *
     * @throws IOException when a file of the job cannot be read
     */
    double check() throws IOException;

    /** Does this many steps, ≥ 1. */
    void run(int steps);

    /** Makes the work of a job ready: reads its files, builds its models. */
    static Work of(Job job) throws IOException {
        return switch (job.work()) {
            case "train" -> new TrainWork(job);
            case "generate" -> new GenerateWork(job);
            case "ppo" -> new PpoWork(job);
            case "sft" -> new SftWork(job);
            case "dpo" -> new DpoWork(job);
            case "bpe-train" -> new BpeTrainWork(job);
            case "bpe-encode" -> new BpeEncodeWork(job);
            case "gemm" -> new GemmWork(job);
            default -> throw new IllegalArgumentException("there is no work called " + job.work());
        };
    }
}
