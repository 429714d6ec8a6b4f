package io.github.rlhf4j.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import io.github.rlhf4j.transformer.tokenizer.CharacterTokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models whose embedding has more rows than the tokenizer has tokens, as Hugging Face pads them. */
class PaddedVocabularyTest {

    private static final Tokenizer TOKENIZER = CharacterTokenizer.fromTexts(List.of("abcd"), "<|end|>");
    private static final int ROWS = 64;
    private static final List<TokenSequence> PROMPTS = Collections.nCopies(40, TOKENIZER.encode("ab"));
    private static final double TEMPERATURE = 1.3;
    private static final Sampling SAMPLING = Sampling.exact(8, TEMPERATURE, Set.of());

    /** The initial weights are near 0, so that the padding has more than nine tenths of the probability. */
    private static TransformerPolicy padded() {
        return TransformerPolicy.create(TransformerConfig.gpt2(ROWS, 12, 8, 2, 2), TOKENIZER, AdamWConfig.gpt3(), 3);
    }

    @Test
    void paddingIsNeverSampled() {
        try (TransformerPolicy policy = padded()) {
            for (Sampling sampling : List.of(SAMPLING, SAMPLING.withTopK(50), SAMPLING.withTopP(0.99))) {
                assertThat(policy.complete(PROMPTS, sampling, 5))
                        .flatExtracting(c -> c.response().stream().boxed().toList())
                        .allMatch(id -> id < TOKENIZER.vocabularySize())
                        .contains(0, 1, 2, 3);
            }
        }
    }

    /** PPO's first ratio is 1 because sampler, scorer and the trained pass speak of one distribution. */
    @Test
    void scoringGivesBackTheSamplersLogProbs() {
        try (TransformerPolicy policy = padded()) {
            List<Completion> completions = policy.complete(PROMPTS, SAMPLING, 5);
            SequenceBatch batch = SequenceBatch.ofCompletions(completions, TEMPERATURE);
            double[][] drawn = completions.stream().map(Completion::logProbs).toArray(double[][]::new);
            assertClose(policy.score(batch).logProbs(), drawn);
            try (ForwardPass pass = policy.forward(batch)) {
                assertClose(pass.scores().logProbs(), drawn);
            }
            assertThat(drawn[0][0]).as("of the full distribution").isLessThan(Math.log(4.0 / ROWS));
        }
    }

    private static void assertClose(double[][] scored, double[][] drawn) {
        for (int i = 0; i < drawn.length; i++) {
            assertThat(scored[i]).containsExactly(drawn[i], within(1e-5));
        }
    }

    @Test
    void itTrainsSavesAndLoads(@TempDir Path directory) throws IOException {
        try (TransformerPolicy policy = padded()) {
            SequenceBatch batch = SequenceBatch.ofCompletions(policy.complete(PROMPTS, SAMPLING, 5), TEMPERATURE);
            double before = total(policy, batch);
            double[][] rise = policy.score(batch).logProbs();
            Arrays.stream(rise).forEach(row -> Arrays.fill(row, -1));
            try (ForwardPass pass = policy.forward(batch)) {
                pass.backward(new TokenGradients(rise));
            }
            policy.update(0.01);
            assertThat(total(policy, batch)).isGreaterThan(before);
            policy.save(directory);
            try (TransformerPolicy loaded = TransformerPolicy.load(directory, AdamWConfig.gpt3())) {
                assertThat(loaded.config().vocabularySize()).isEqualTo(ROWS);
                assertThat(loaded.score(batch).logProbs())
                        .isDeepEqualTo(policy.score(batch).logProbs());
            }
        }
    }

    private static double total(TransformerPolicy policy, SequenceBatch batch) {
        return Arrays.stream(policy.score(batch).logProbs())
                .flatMapToDouble(Arrays::stream)
                .sum();
    }

    @Test
    void aVocabularySmallerThanTheTokenizersIsRefused() {
        TransformerConfig small = TransformerConfig.gpt2(TOKENIZER.vocabularySize() - 1, 12, 8, 2, 2);
        assertThatThrownBy(() -> TransformerPolicy.create(small, TOKENIZER, AdamWConfig.gpt3(), 3))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the tokenizer has " + TOKENIZER.vocabularySize() + " tokens, the model "
                        + small.vocabularySize() + "; give the model at least the tokenizer's vocabularySize");
    }
}
