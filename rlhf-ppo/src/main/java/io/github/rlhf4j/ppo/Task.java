package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.Sampling;
import java.util.List;

/** What the policy is to do with a prompt, and what it is paid for it. */
sealed interface Task {

    /** Begins a rollout of {@code size} prompts. */
    Play begin(int size);

    /** One rollout: first it is sampled, then what is paid for it is asked for. */
    interface Play extends AutoCloseable {

        Rollout sample(Policy sampler, List<Prompt> prompts, Sampling sampling, long seed);

        /** What is paid for each of the policy's tokens, reward units; waits for it where need be. */
        double[][] tokenScores();

        /** Ends what still goes on. */
        @Override
        void close();
    }

    /** One answer, paid by a reward model, which is asked while the rest of the rollout is sampled. */
    record SingleTurn(RewardModel rewardModel, RewardConcurrency concurrency) implements Task {

        @Override
        public Play begin(int size) {
            RewardCalls calls = RewardCalls.begin(rewardModel, size, concurrency);
            return new Play() {
                @Override
                public Rollout sample(Policy sampler, List<Prompt> prompts, Sampling sampling, long seed) {
                    return Answers.sample(sampler, prompts, sampling, seed, calls::offer)
                            .rollout(sampling);
                }

                @Override
                public double[][] tokenScores() {
                    return calls.await();
                }

                @Override
                public void close() {
                    calls.close();
                }
            };
        }
    }

    /** As many turns as an environment wants, paid by it turn by turn. */
    record Dialogues(DialogueEnvironment environment) implements Task {

        @Override
        public Play begin(int size) {
            return new DialoguePlay(environment);
        }
    }
}
