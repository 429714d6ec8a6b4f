package io.github.rlhf4j.benchmarks.work;

import io.github.rlhf4j.transformer.tokenizer.BytePairTokenizer;
import io.github.rlhf4j.transformer.tokenizer.BytePairTrainer;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;

/** Byte-level BPE learned from the lines of a text. */
final class BpeTrainWork implements Work {

    private final List<String> lines;
    private final int vocabulary;

    BpeTrainWork(Job job) throws IOException {
        lines = Files.readAllLines(job.file(Job.TEXT));
        vocabulary = job.size(Job.VOCABULARY);
    }

    /** How many tokens the text has under the merges that were learned. */
    @Override
    public double check() {
        BytePairTokenizer tokenizer = train();
        return lines.stream().mapToLong(line -> tokenizer.encode(line).length()).sum();
    }

    private BytePairTokenizer train() {
        return new BytePairTrainer(vocabulary).train(lines).tokenizer();
    }

    @Override
    public void run(int steps) {
        for (int i = 0; i < steps; i++) {
            train();
        }
    }
}
