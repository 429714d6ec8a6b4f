package io.github.rlhf4j.benchmarks.work;

import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.RoleChatFormat;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.Critic;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.PpoTrainer;
import io.github.rlhf4j.ppo.RewardSettings;
import io.github.rlhf4j.ppo.math.KlController;
import io.github.rlhf4j.ppo.math.MissingStop;
import io.github.rlhf4j.reward.TransformerRewardModel;
import io.github.rlhf4j.transformer.ScalarTransformer;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.TransformerValueFunction;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.io.IOException;
import java.util.List;
import java.util.Set;

/**
 * PPO iterations with a policy, a reference, a value function and a reward model of the same shape: rollout, scores, epochs
 * of one minibatch each. The settings are the defaults of TRL's trainer, which is the peer.
 */
final class PpoWork implements Work {

    private static final int ITERATIONS = 100_000;
    private static final LearningRateSchedule RATE = new LearningRateSchedule.Constant(1e-6);

    private final TransformerPolicy policy;
    private final List<ScoredSequence> prompts;
    private final PpoTrainer trainer;

    PpoWork(Job job) throws IOException {
        AdamWConfig optimizer = AdamWConfig.policyOptimization();
        policy = TransformerPolicy.load(job.file(Job.MODEL), optimizer);
        prompts = SequenceFile.read(job.file(""));
        ChatFormat format = new RoleChatFormat(policy.tokenizer());
        trainer = PpoTrainer.builder()
                .config(config(job, prompts.size()))
                .policy(policy)
                .reference(policy.copy())
                .rewardModel(TransformerRewardModel.of(policy, format, optimizer, 1))
                .critic(Critic.separate(new TransformerValueFunction(ScalarTransformer.of(policy, optimizer, 2))))
                .prompts(prompts.stream().map(this::prompt).toList())
                .build();
    }

    private Prompt prompt(ScoredSequence sequence) {
        String text = policy.tokenizer().decode(sequence.tokens());
        return new Prompt(Conversation.of(text), sequence.tokens());
    }

    private static PpoConfig config(Job job, int prompts) {
        Sampling sampling = Sampling.exact(job.size(Job.NEW_TOKENS), 1, Set.of());
        return PpoConfig.of(ITERATIONS, new BatchPlan(prompts, prompts), sampling, 1)
                .withEpochs(job.size(Job.EPOCHS))
                .withRewards(RewardSettings.defaults()
                        .withKl(new KlController.Fixed(0.05))
                        .withMissingStop(new MissingStop.Keep()))
                .withRates(RATE, RATE);
    }

    @Override
    public double check() {
        return Losses.mean(policy, prompts);
    }

    @Override
    public void run(int steps) {
        for (int i = 0; i < steps; i++) {
            trainer.step();
        }
    }
}
