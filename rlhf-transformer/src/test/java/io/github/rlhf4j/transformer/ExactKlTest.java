package io.github.rlhf4j.transformer;

import static io.github.rlhf4j.transformer.TransformerGradientTest.dot;
import static io.github.rlhf4j.transformer.TransformerGradientTest.weights;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.ActorCritic.JointPass;
import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.testkit.LetterTokenizer;
import io.github.rlhf4j.testkit.TabularContext;
import io.github.rlhf4j.testkit.TabularOptimizer;
import io.github.rlhf4j.testkit.TabularPolicy;
import io.github.rlhf4j.transformer.kernels.WeightFormat;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** The exact KL to whatever can be a reference: another model, the one below adapters, an int8 one, an actor-critic. */
class ExactKlTest {

    private static final TransformerConfig CONFIG = TestModels.tiny();

    private final SequenceBatch batch = LoraCases.batch(1);

    private static double[][] zeros(SequenceBatch batch) {
        return batch.sequences().stream()
                .map(sequence -> new double[sequence.scoredCount()])
                .toArray(double[][]::new);
    }

    private static double[][] kls(TransformerPolicy policy, TransformerPolicy reference, SequenceBatch batch) {
        try (ForwardPass pass = policy.forward(batch, reference)) {
            return pass.scores().kls();
        }
    }

    /** What is trained are the adapters, what is compared with is the model below them, in the same memory. */
    @Property(tries = 4)
    void gradientsOfAdaptersAreSlopes(@ForAll("cases") LoraCases.Case c, @ForAll long seed) {
        try (TransformerPolicy base = TestModels.policy(c.config(), seed);
                TransformerPolicy policy = base.withLora(c.lora(), AdamWConfig.gpt3(), seed)) {
            TestModels.perturb(policy, seed + 9);
            SequenceBatch batch = LoraCases.batch(seed);
            double[][] g = weights(batch, 7);
            double[][] k = weights(batch, 8);
            try (ForwardPass pass = policy.forward(batch, base)) {
                pass.backward(new TokenGradients(g, null, k));
            }
            TransformerGradientTest.check(policy.parameters(), () -> {
                try (ForwardPass pass = policy.forward(batch, base)) {
                    return dot(g, pass.scores().logProbs())
                            + dot(k, pass.scores().kls());
                }
            });
        }
    }

    @Provide
    Arbitrary<LoraCases.Case> cases() {
        return LoraCases.any();
    }

    /** New adapters change no bit, so the KL is 0 to the bit; below adapters of int8 too. */
    @Example
    void newAdaptersAreAtNoDistance() {
        for (WeightFormat format : WeightFormat.values()) {
            try (TransformerPolicy floats = TestModels.inFloat(CONFIG, 1);
                    TransformerPolicy base = floats.copy(format);
                    TransformerPolicy policy = base.withLora(LoraCases.ALL, AdamWConfig.gpt3(), 2)) {
                assertThat(kls(policy, base, batch)).isDeepEqualTo(zeros(batch));
                TestModels.perturb(policy, 3);
                assertThat(Arrays.stream(kls(policy, base, batch)).flatMapToDouble(Arrays::stream))
                        .allMatch(kl -> kl > 1e-3);
            }
        }
    }

    @Example
    void onOneTrunkWithAValueHeadGradientsAreSlopes() {
        try (TransformerPolicy reference = TestModels.policy(CONFIG, 4);
                TransformerPolicy start = TestModels.policy(CONFIG, 5);
                TransformerActorCritic both = TransformerActorCritic.of(start, AdamWConfig.gpt3(), 6)) {
            double[][] g = weights(batch, 11);
            double[][] v = weights(batch, 12);
            double[][] k = weights(batch, 13);
            try (JointPass pass = both.forwardJointly(batch, reference)) {
                pass.backward(new TokenGradients(g, null, k), v);
            }
            TransformerGradientTest.check(both.parameters(), () -> {
                try (JointPass pass = both.forwardJointly(batch, reference)) {
                    return dot(g, pass.scores().logProbs())
                            + dot(v, pass.values())
                            + dot(k, pass.scores().kls());
                }
            });
        }
    }

    /** Float32 on the kernels of this machine against double on the reference kernels. */
    @Property(tries = 10)
    void inFloatItIsThatOfDouble(@ForAll long seed) {
        try (TransformerPolicy exact = TestModels.policy(CONFIG, seed);
                TransformerPolicy exactReference = TestModels.policy(CONFIG, seed + 1);
                TransformerPolicy fast = TestModels.inFloat(CONFIG, seed);
                TransformerPolicy fastReference = TestModels.inFloat(CONFIG, seed + 1)) {
            double[][] expected = kls(exact, exactReference, batch);
            double[][] actual = kls(fast, fastReference, batch);
            for (int i = 0; i < expected.length; i++) {
                assertThat(actual[i]).containsExactly(expected[i], within(2e-4));
            }
        }
    }

    /** A pass holds no more than it gives back, and the second of two takes no new memory. */
    @Example
    void memoryIsGivenBack() {
        try (TransformerPolicy policy = TestModels.inFloat(CONFIG, 1);
                TransformerPolicy reference = TestModels.inFloat(CONFIG, 2)) {
            Object empty = policy.core().trainingArena().mark();
            double[][] k = weights(batch, 8);
            long allocations = 0;
            for (int i = 0; i < 3; i++) {
                allocations = i < 2
                        ? policy.core().arenaAllocations() + reference.core().arenaAllocations()
                        : allocations;
                try (ForwardPass pass = policy.forward(batch, reference)) {
                    pass.backward(new TokenGradients(zeros(batch), null, k));
                }
                assertThat(policy.core().trainingArena().mark()).isEqualTo(empty);
            }
            assertThat(policy.core().arenaAllocations() + reference.core().arenaAllocations())
                    .isEqualTo(allocations);
        }
    }

    @Example
    void sequencesWithoutAScoredTokenHaveNoKl() {
        SequenceBatch nothing = new SequenceBatch(List.of(ScoredSequence.of(TokenSequence.of(1, 2), new int[0])));
        try (TransformerPolicy policy = TestModels.inFloat(CONFIG, 1);
                TransformerPolicy reference = TestModels.inFloat(CONFIG, 2);
                ForwardPass pass = policy.forward(nothing, reference)) {
            assertThat(pass.scores().kls()).isDeepEqualTo(new double[1][0]);
            pass.backward(new TokenGradients(new double[1][0], null, new double[1][0]));
        }
    }

    @Example
    void whatCannotBeComparedIsRefused() {
        LetterTokenizer letters = new LetterTokenizer(2);
        TabularPolicy table = TabularPolicy.uniform(letters, TabularContext.LAST_TOKEN, 16, new TabularOptimizer.Sgd());
        try (TransformerPolicy policy = TestModels.inFloat(CONFIG, 1);
                TransformerActorCritic both = TransformerActorCritic.of(policy, AdamWConfig.gpt3(), 2);
                TransformerPolicy larger = TestModels.inFloat(TransformerConfig.gpt2(14, 12, 8, 2, 2), 1);
                TransformerPolicy inDouble = TestModels.policy(CONFIG, 1)) {
            policy.requireKlTo(both);
            both.requireKlTo(policy);
            assertThatThrownBy(() -> policy.requireKlTo(larger))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("the policy's has 13 tokens, the reference's 14");
            assertThatThrownBy(() -> both.requireKlTo(inDouble))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("the policy is in FLOAT, the reference in DOUBLE");
            assertThatThrownBy(() -> policy.forward(batch, table))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("got " + TabularPolicy.class.getName());
            assertThatThrownBy(() -> both.forwardJointly(batch, table)).hasMessageContaining("K2 in the loss");
            try (ForwardPass pass = policy.forward(batch)) {
                assertThat(pass.scores().kls()).isNull();
                assertThatThrownBy(() -> pass.backward(new TokenGradients(zeros(batch), null, zeros(batch))))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("forward(batch, reference)");
            }
        }
    }
}
