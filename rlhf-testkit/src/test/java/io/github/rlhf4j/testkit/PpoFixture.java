package io.github.rlhf4j.testkit;

import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.Critic;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.PpoTrainer;
import io.github.rlhf4j.ppo.PpoTrainerBuilder;
import java.util.List;
import java.util.Set;

/** A PPO run on two letters, small enough to check everything: the reward counts the letter b. */
final class PpoFixture {

    static final LetterTokenizer LETTERS = new LetterTokenizer(2);
    static final Sampling SAMPLING = Sampling.exact(4, 1, Set.of(LETTERS.end()));
    static final RewardModel COUNT_B = batch -> batch.stream()
            .mapToDouble(e -> e.response().chars().filter(c -> c == 'b').count())
            .toArray();
    /** Of one length, so that no prompt with a response is another prompt: their contexts are apart. */
    static final List<Prompt> PROMPTS = List.of(prompt("aa"), prompt("ab"), prompt("ba"));

    private PpoFixture() {}

    static Prompt prompt(String text) {
        return new Prompt(Conversation.of(text), LETTERS.encode(text));
    }

    static TabularPolicy policy() {
        return TabularPolicy.random(LETTERS, TabularContext.WHOLE_PREFIX, 16, TabularOptimizer.Adam.defaults(), 1, 0.5);
    }

    static TabularValueFunction values() {
        return new TabularValueFunction(TabularContext.WHOLE_PREFIX, TabularOptimizer.Adam.defaults());
    }

    static PpoConfig config(int iterations, BatchPlan plan) {
        return PpoConfig.of(iterations, plan, SAMPLING, 42)
                .withRates(new LearningRateSchedule.Constant(0.05), new LearningRateSchedule.Constant(0.05));
    }

    /** A builder with every part, of which a test replaces some. */
    static PpoTrainerBuilder builder(TabularPolicy policy, PpoConfig config) {
        return PpoTrainer.builder()
                .config(config)
                .policy(policy)
                .reference(policy.copy())
                .rewardModel(COUNT_B)
                .critic(Critic.separate(values()))
                .prompts(PROMPTS);
    }
}
