package io.github.rlhf4j.transformer;

import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;

/** Small models and sequences for tests. */
public final class TestModels {

    private TestModels() {}

    /** A model of two layers in double, its weights five times GPT-2's so that no gradient is lost in rounding. */
    public static TransformerPolicy policy(TransformerConfig config, long seed) {
        TransformerPolicy policy = TransformerPolicy.create(
                config, ids(config.vocabularySize()), AdamWConfig.gpt3(), seed, DataType.DOUBLE);
        perturb(policy, seed);
        return policy;
    }

    /** Moves every parameter, gains and biases too, away from its initial value. */
    public static void perturb(TransformerPolicy policy, long seed) {
        RandomKey key = RandomKey.of(seed).child("perturb");
        for (int i = 0; i < policy.parameters().count(); i++) {
            double value = policy.parameters().values().getDouble(i);
            policy.parameters().values().putScalar(i, value + 0.1 * key.child(i).gaussian());
        }
    }

    public static TransformerConfig tiny() {
        return TransformerConfig.gpt2(13, 12, 8, 2, 2).withFeedForwardWidth(12);
    }

    /** A dropout key for each sequence of a batch. */
    public static List<RandomKey> keys(RandomKey key, int sequences) {
        return IntStream.range(0, sequences).mapToObj(key::child).toList();
    }

    public static TokenSequence sequence(long seed, int length, int vocabulary) {
        RandomKey key = RandomKey.of(seed).child("tokens");
        int[] ids = new int[length];
        for (int i = 0; i < length; i++) {
            ids[i] = key.child(i).below(vocabulary);
        }
        return TokenSequence.of(ids);
    }

    /** A tokenizer of ids alone: the text of token i is its number. */
    public static Tokenizer ids(int vocabulary) {
        return new Tokenizer() {
            @Override
            public TokenSequence encode(String text) {
                if (text.isBlank()) {
                    return TokenSequence.empty();
                }
                return TokenSequence.of(java.util.Arrays.stream(text.strip().split(" "))
                        .mapToInt(Integer::parseInt)
                        .toArray());
            }

            @Override
            public String decode(TokenSequence tokens) {
                StringBuilder text = new StringBuilder();
                tokens.stream().forEach(id -> text.append(id).append(' '));
                return text.toString();
            }

            @Override
            public int vocabularySize() {
                return vocabulary;
            }

            @Override
            public Map<String, Integer> specialTokens() {
                return Map.of();
            }

            @Override
            public StreamingDecoder streamingDecoder() {
                return new StreamingDecoder() {
                    @Override
                    public String accept(int token) {
                        return token + " ";
                    }

                    @Override
                    public String finish() {
                        return "";
                    }
                };
            }
        };
    }
}
