package io.github.rlhf4j.testkit;

import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.Critic;
import io.github.rlhf4j.ppo.DialogueEnvironment;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.PpoTrainer;
import io.github.rlhf4j.ppo.PpoTrainerBuilder;
import io.github.rlhf4j.ppo.Reaction;
import java.util.List;
import java.util.Set;

/** Dialogues of two turns of one letter each on tabular policies: the policy, the user, the policy. */
final class DialogueFixture {

    static final LetterTokenizer LETTERS = new LetterTokenizer(3);
    static final Sampling ONE_TOKEN = Sampling.exact(1, 1, Set.of());
    static final List<Prompt> PROMPTS = List.of(PpoFixture.prompt("aa"), PpoFixture.prompt("ab"));

    /** The user says "ac" or "bc" by chance, and pays for what the policy says then: its own letter again, after a b. */
    static final DialogueEnvironment CHANCE = dialogue -> {
        if (dialogue.turn() == 0) {
            return Reaction.goOn(0, LETTERS.encode(dialogue.key().uniform() < 0.5 ? "ac" : "bc"));
        }
        return Reaction.end(reward(dialogue.tokens()));
    };

    private DialogueFixture() {}

    /** Of prompt, first letter, two of the user's, last letter. */
    static double reward(TokenSequence tokens) {
        boolean first = tokens.get(2) == LETTERS.encode("b").get(0);
        boolean echo = tokens.get(tokens.length() - 1) == tokens.get(3);
        return first && echo ? 1 : 0;
    }

    static TabularPolicy policy() {
        return TabularPolicy.random(LETTERS, TabularContext.WHOLE_PREFIX, 16, TabularOptimizer.Adam.defaults(), 1, 0.5);
    }

    static TabularValueFunction values() {
        return new TabularValueFunction(TabularContext.WHOLE_PREFIX, TabularOptimizer.Adam.defaults());
    }

    static PpoConfig config(int iterations, BatchPlan plan) {
        return PpoConfig.of(iterations, plan, ONE_TOKEN, 42)
                .withRates(new LearningRateSchedule.Constant(0.05), new LearningRateSchedule.Constant(0.05));
    }

    /** A builder with every part but what pays. */
    static PpoTrainerBuilder builder(TabularPolicy policy, PpoConfig config) {
        return PpoTrainer.builder()
                .config(config)
                .policy(policy)
                .reference(policy.copy())
                .critic(Critic.separate(values()))
                .prompts(PROMPTS);
    }
}
