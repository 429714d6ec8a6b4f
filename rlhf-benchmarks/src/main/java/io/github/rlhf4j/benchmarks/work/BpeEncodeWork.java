package io.github.rlhf4j.benchmarks.work;

import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.transformer.tokenizer.TokenizerFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.concurrent.ForkJoinPool;

/** The lines of a text to ids, on all threads of the job. */
final class BpeEncodeWork implements Work {

    private final List<String> lines;
    private final Tokenizer tokenizer;
    private final ForkJoinPool pool;

    BpeEncodeWork(Job job) throws IOException {
        lines = Files.readAllLines(job.file(Job.TEXT));
        tokenizer = TokenizerFiles.load(job.file(Job.MODEL));
        pool = new ForkJoinPool(job.threads());
    }

    /** How many tokens the text has. */
    @Override
    public double check() {
        return encode().stream().mapToLong(TokenSequence::length).sum();
    }

    private List<TokenSequence> encode() {
        return pool.submit(() -> lines.parallelStream().map(tokenizer::encode).toList())
                .join();
    }

    @Override
    public void run(int steps) {
        for (int i = 0; i < steps; i++) {
            encode();
        }
    }
}
