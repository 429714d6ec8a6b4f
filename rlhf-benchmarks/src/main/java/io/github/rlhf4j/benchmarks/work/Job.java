package io.github.rlhf4j.benchmarks.work;

import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a side of a comparison is to do; sent to it as one line of JSON.
 *
 * @param work name of the kind of work: train, generate, ppo, sft, bpe-train, bpe-encode or gemm
 * @param variant of the work, such as eager or compiled, or our format of weights; empty where there is only one
 * @param threads of the side, ≥ 1
 * @param directory that holds what both sides read: {@code model/}, {@code sequences.jsonl}, {@code text.txt}
 * @param sizes numbers of the work by name
 */
public record Job(String work, String variant, int threads, String directory, Map<String, Integer> sizes) {

    /** Directory of the model, as {@code TransformerPolicy.save} writes it. */
    public static final String MODEL = "model";

    /** File of a text whose lines are documents. */
    public static final String TEXT = "text.txt";

    /** Tokens a completion has. */
    public static final String NEW_TOKENS = "newTokens";

    /** Examples of an update. */
    public static final String BATCH = "batch";

    /** Passes over a rollout. */
    public static final String EPOCHS = "epochs";

    /** Tokens of a vocabulary. */
    public static final String VOCABULARY = "vocabulary";

    /** Rows and columns of a square matrix. */
    public static final String SIZE = "size";

    public Job {
        sizes = new TreeMap<>(sizes);
        if (threads < 1) {
            throw new IllegalArgumentException("a side needs at least one thread, got " + threads);
        }
    }

    /** A job with one variant. */
    public static Job of(String work, int threads, Path directory, Map<String, Integer> sizes) {
        return new Job(work, "", threads, directory.toString(), sizes);
    }

    public Job withVariant(String name) {
        return new Job(work, name, threads, directory, sizes);
    }

    /** A file or directory of the job. */
    public Path file(String name) {
        return Path.of(directory, name);
    }

    /**
     * A number of the work.
     *
     * @throws IllegalArgumentException when the job lacks it
     */
    public int size(String name) {
        Integer size = sizes.get(name);
        if (size == null) {
            throw new IllegalArgumentException("the job " + work + " has no size " + name + "; it has " + sizes);
        }
        return size;
    }
}
