package io.github.rlhf4j.benchmarks.peer;

import io.github.rlhf4j.benchmarks.work.Job;
import io.github.rlhf4j.transformer.tokenizer.TokenizerFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Byte-level BPE against Hugging Face's tokenizers.
 *
 * @param encoding whether text is encoded rather than merges learned from it
 */
record BpeRow(Goal goal, boolean encoding) implements Row {

    /** Merges of equal counts may be learned in another order, and change a few tokens. */
    private static final double TOLERANCE = 1e-3;

    @Override
    public String name() {
        return encoding ? "bpe-encode" : "bpe-train";
    }

    @Override
    public String work() {
        return encoding
                ? "BPE encoding of WordNet's 117,791 explanations, 4,096 tokens"
                : "BPE training on WordNet's explanations to 4,096 tokens";
    }

    @Override
    public Result measure(Bench bench) throws IOException {
        Path directory = bench.directory(name());
        long bytes = Glosses.writeText(directory);
        if (encoding) {
            TokenizerFiles.save(Glosses.tokenizer(), bench.directory(name() + "/" + Job.MODEL));
        }
        Job job = bench.job(name(), directory, Map.of(Job.VOCABULARY, Glosses.VOCABULARY));
        Check check = new Check("number of tokens", encoding ? 0 : TOLERANCE * bytes);
        Comparison times = bench.compare(job, List.of(""), check, new Plan(3, 7, 1));
        return Result.measured(
                this,
                rate(bytes, times.ours().median()),
                rate(bytes, times.peer().median()),
                times.ratio(),
                encoding
                        ? "all lines in one call, on all threads"
                        : Figures.duration(times.ours().median()) + " and "
                                + Figures.duration(times.peer().median()));
    }

    private static String rate(long bytes, double seconds) {
        return Figures.rate(bytes / 1e6, seconds, "MB");
    }
}
