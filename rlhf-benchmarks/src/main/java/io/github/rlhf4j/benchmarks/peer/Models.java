package io.github.rlhf4j.benchmarks.peer;

import io.github.rlhf4j.benchmarks.work.Job;
import io.github.rlhf4j.benchmarks.work.SequenceFile;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import io.github.rlhf4j.transformer.tokenizer.BytePairTrainer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Models with random weights and sequences of random tokens, written where both sides read them. */
final class Models {

    private static final RandomKey KEY = RandomKey.of(1).child("peer benchmark");

    private Models() {}

    /** Writes a model whose tokens mean nothing. */
    static void write(Path directory, TransformerConfig shape) throws IOException {
        write(directory, shape, new BytePairTrainer(256).train(List.of("a")).tokenizer());
    }

    /** Writes a model with its tokenizer. */
    static void write(Path directory, TransformerConfig shape, Tokenizer tokenizer) throws IOException {
        try (TransformerPolicy policy = TransformerPolicy.create(shape, tokenizer, AdamWConfig.gpt3(), 1)) {
            policy.save(directory.resolve(Job.MODEL));
        }
    }

    /** Writes texts of random tokens of these lengths, all tokens scored but the first. */
    static void writeSequences(Path directory, int vocabulary, int... lengths) throws IOException {
        List<ScoredSequence> sequences = new ArrayList<>();
        for (int i = 0; i < lengths.length; i++) {
            RandomKey key = KEY.child("tokens").child(i);
            sequences.add(ScoredSequence.ofText(TokenSequence.of(IntStream.range(0, lengths[i])
                    .map(t -> key.child(t).below(vocabulary))
                    .toArray())));
        }
        SequenceFile.write(directory, sequences);
    }

    /** This many times the same length. */
    static int[] equalLengths(int count, int length) {
        int[] lengths = new int[count];
        Arrays.fill(lengths, length);
        return lengths;
    }

    /** Lengths drawn uniformly from {@code [least, most]}, the same at each call. */
    static int[] uniformLengths(int count, int least, int most) {
        return IntStream.range(0, count)
                .map(i -> least + KEY.child("lengths").child(i).below(most - least + 1))
                .toArray();
    }
}
