package io.github.rlhf4j.benchmarks;

import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.RoleChatFormat;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.Critic;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.PpoTrainer;
import io.github.rlhf4j.ppo.PpoTrainerBuilder;
import io.github.rlhf4j.reward.RewardModels;
import io.github.rlhf4j.transformer.ScalarTransformer;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.TransformerValueFunction;
import io.github.rlhf4j.transformer.model.ParameterStore;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import io.github.rlhf4j.transformer.tokenizer.CharacterTokenizer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** Real transformers of two layers, and what PPO needs around them; closes what it made. */
final class TinyModels implements AutoCloseable {

    static final int CONTEXT = 24;
    static final CharacterTokenizer TOKENIZER = CharacterTokenizer.fromTexts(
            List.of("abcdefgh?"), RoleChatFormat.specialTokens().toArray(String[]::new));
    static final ChatFormat FORMAT = new RoleChatFormat(TOKENIZER);
    static final AdamWConfig OPTIMIZER = AdamWConfig.policyOptimization();
    static final Sampling SAMPLING = Sampling.exact(8, 0.7, FORMAT.stopTokens());

    /** Likes a's. */
    static final RewardModel TASTE =
            RewardModels.of(e -> e.response().chars().filter(c -> c == 'a').count());

    private final Deque<AutoCloseable> open = new ArrayDeque<>();

    <T extends AutoCloseable> T owned(T resource) {
        open.push(resource);
        return resource;
    }

    static TransformerConfig shape() {
        return TransformerConfig.gpt2(TOKENIZER.vocabularySize(), CONTEXT, 16, 2, 2);
    }

    TransformerPolicy policy(long seed) {
        return policy(shape(), seed);
    }

    TransformerPolicy policy(TransformerConfig shape, long seed) {
        return owned(TransformerPolicy.create(shape, TOKENIZER, OPTIMIZER, seed));
    }

    TransformerValueFunction critic(long seed) {
        return owned(new TransformerValueFunction(ScalarTransformer.of(policy(seed), OPTIMIZER, seed)));
    }

    static List<Prompt> prompts() {
        return List.of(prompt("a?"), prompt("bcd?"), prompt("efgh?"), prompt("?"));
    }

    static Prompt prompt(String text) {
        return Prompt.of(Conversation.of(text), FORMAT);
    }

    /** Eight responses a rollout, two minibatches, each in several passes, two epochs. */
    static PpoConfig ppoConfig(int iterations) {
        return PpoConfig.of(iterations, new BatchPlan(8, 4), SAMPLING, 5)
                .withMicroBatchTokens(30)
                .withEpochs(2)
                .withRates(new LearningRateSchedule.Constant(1e-3), new LearningRateSchedule.Constant(1e-3));
    }

    /** PPO on a policy, with a reference that is its copy and a critic of its own. */
    PpoTrainerBuilder ppo(TransformerPolicy policy, PpoConfig config) {
        return PpoTrainer.builder()
                .config(config)
                .policy(policy)
                .reference(owned(policy.copy()))
                .rewardModel(TASTE)
                .critic(Critic.separate(critic(7)))
                .prompts(prompts());
    }

    static float[] bits(ParameterStore store) {
        return store.values().dup().data().asFloat();
    }

    @Override
    public void close() {
        while (!open.isEmpty()) {
            try {
                open.pop().close();
            } catch (Exception e) {
                throw new IllegalStateException("a model of this test cannot be closed", e);
            }
        }
    }
}
