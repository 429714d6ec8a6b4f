package io.github.rlhf4j.transformer;

import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.testkit.ActorCriticContract;
import io.github.rlhf4j.testkit.TokenizerContract;
import io.github.rlhf4j.testkit.TrainablePolicyContract;
import io.github.rlhf4j.testkit.TrainableValueFunctionContract;
import io.github.rlhf4j.testkit.ValueFunctionContract;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import io.github.rlhf4j.transformer.tokenizer.BytePairTrainer;
import io.github.rlhf4j.transformer.tokenizer.CharacterTokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;

/** What this module implements keeps the contracts that users' own classes are tested with. */
class TransformerContractsTest {

    private static final CharacterTokenizer CHARACTERS = CharacterTokenizer.fromTexts(List.of("abc "), "<|end|>");

    /** A policy of two layers in float32; closes what it gave. */
    private abstract static class SmallTransformer extends TrainablePolicyContract {

        private final List<TransformerPolicy> open = new ArrayList<>();

        @Override
        protected TransformerPolicy policy() {
            return policy(5, 8);
        }

        /** Half as wide again. */
        @Override
        protected TransformerPolicy klReference() {
            return policy(6, 12);
        }

        private TransformerPolicy policy(long seed, int width) {
            TransformerConfig config = TransformerConfig.gpt2(vocabularySize(), 12, width, 2, 2);
            TransformerPolicy policy = TransformerPolicy.create(config, CHARACTERS, AdamWConfig.gpt3(), seed);
            TestModels.perturb(policy, seed);
            open.add(policy);
            return policy;
        }

        @Override
        protected int vocabularySize() {
            return CHARACTERS.vocabularySize();
        }

        @AfterEach
        void close() {
            open.forEach(TransformerPolicy::close);
        }
    }

    @Nested
    class Whole extends SmallTransformer {}

    /** Half of whose vocabulary the tokenizer does not know. */
    @Nested
    class Padded extends SmallTransformer {

        @Override
        protected int vocabularySize() {
            return 2 * CHARACTERS.vocabularySize();
        }
    }

    @Nested
    class SharedTrunk extends ActorCriticContract {

        private final List<TransformerActorCritic> open = new ArrayList<>();

        @Override
        protected TransformerActorCritic policy() {
            return remember(actorCritic(5));
        }

        @Override
        protected TransformerActorCritic klReference() {
            return remember(actorCritic(7));
        }

        private TransformerActorCritic remember(TransformerActorCritic both) {
            open.add(both);
            return both;
        }

        @AfterEach
        void close() {
            open.forEach(TransformerActorCritic::close);
        }
    }

    private static TransformerActorCritic actorCritic(long seed) {
        TransformerConfig config = TransformerConfig.gpt2(CHARACTERS.vocabularySize(), 12, 8, 2, 2);
        try (TransformerPolicy trunk = TransformerPolicy.create(config, CHARACTERS, AdamWConfig.gpt3(), seed)) {
            TestModels.perturb(trunk, seed);
            return TransformerActorCritic.of(trunk, AdamWConfig.gpt3(), 6);
        }
    }

    @Nested
    class ValuesOfASharedTrunk extends ValueFunctionContract {

        private final TransformerActorCritic both = actorCritic(5);

        @Override
        protected TransformerActorCritic valueFunction() {
            return both;
        }

        @AfterEach
        void close() {
            both.close();
        }
    }

    @Nested
    class Values extends TrainableValueFunctionContract {

        private final List<TransformerValueFunction> open = new ArrayList<>();

        @Override
        protected TransformerValueFunction valueFunction() {
            TransformerConfig config = TransformerConfig.gpt2(CHARACTERS.vocabularySize(), 12, 8, 2, 2);
            try (TransformerPolicy trunk = TransformerPolicy.create(config, CHARACTERS, AdamWConfig.gpt3(), 5)) {
                open.add(new TransformerValueFunction(ScalarTransformer.of(trunk, AdamWConfig.gpt3(), 6)));
            }
            return open.get(open.size() - 1);
        }

        @AfterEach
        void close() {
            open.forEach(TransformerValueFunction::close);
        }
    }

    @Nested
    class Characters extends TokenizerContract {

        @Override
        protected Tokenizer tokenizer() {
            return CHARACTERS;
        }

        @Override
        protected List<String> texts() {
            return List.of("", "a", "a cab", "  cc ");
        }
    }

    @Nested
    class BytePairs extends TokenizerContract {

        private final Tokenizer tokenizer = new BytePairTrainer(300)
                .withSpecialTokens("<|endoftext|>", "<|user|>")
                .train(Stream.of("The cat sat on the mat, the cat did."))
                .tokenizer();

        @Override
        protected Tokenizer tokenizer() {
            return tokenizer;
        }
    }
}
