package io.github.rlhf4j.ppo;

import io.github.rlhf4j.ppo.math.Aggregation;
import io.github.rlhf4j.ppo.math.ClippedPolicyLoss;
import io.github.rlhf4j.ppo.math.ClippedValueLoss;
import io.github.rlhf4j.ppo.math.KlController;
import io.github.rlhf4j.ppo.math.MissingStop;

/**
 * How another system computes: its conventions of rewards, advantages and losses, to be put over a configuration as a whole.
 * Steps, batches, epochs, sampling and learning rates stay the configuration's.
 *
 * <p>What ragged rows make the same for all: no padding counts anywhere, the score is on the last token there is, and the
 * statistics of a rollout are of all of it.
 *
 * <p>The numbers are the defaults of each system's own source, read at the commit named beside it, except for {@link
 * #INSTRUCT_GPT}, whose source is not public. What each system's own functions make of one rollout, the tests compare whole:
 * rewards, advantages, returns, losses, gradients and the next β ({@code dialects/goldens.json} in the test resources).
 */
public enum Dialect {

    /**
     * OpenAI's lm-human-preferences (Ziegler et al. 2019), at cbfd210. {@code launch.py} (sentiment, descriptiveness): adaptive β
     * from 0.15 towards 6 nats per sequence. {@code lm_human_preferences/train_policy.py}: horizon 10,000, rewards scaled to unit
     * variance, γ 1, λ 0.95, both clips 0.2, value coefficient 0.1; {@code lm_tasks.py}: −1 without a stop; {@code
     * utils/core.py}: advantages whitened by n. There each minibatch is whitened by itself; take one minibatch per rollout, as
     * its settings do. Its summarisation tasks differ: β fixed at 0.01 or 0.03, rewards not scaled.
     */
    OPENAI_2019(
            new RewardSettings(KlController.Adaptive.perSequence(0.15, 6), new MissingStop.FixedScore(-1), 0, true),
            new AdvantageSettings(1, 0.95, true),
            losses(new ClippedPolicyLoss(0.2), 0.2, 0.1)),

    /**
     * TRL 0.7.11 (0f13e51). {@code trl/trainer/ppo_config.py}: adaptive β from 0.2 towards 6 nats per sequence, horizon 10,000,
     * scores as they are, γ 1, λ 0.95, both clips 0.2, value coefficient 0.1; {@code trl/core.py}: advantages whitened by n − 1.
     * It also leaves out minibatches whose mean ratio is above 10, which is not done here. Not TRL's last PPO, which paid the
     * score one slot past the stop token, where a ragged row has nothing.
     */
    TRL(
            new RewardSettings(KlController.Adaptive.perSequence(0.2, 6), new MissingStop.Keep(), 0, false),
            new AdvantageSettings(1, 0.95, true).withDivisor(AdvantageSettings.Divisor.N_MINUS_1),
            losses(new ClippedPolicyLoss(0.2), 0.2, 0.1)),

    /**
     * OpenRLHF, at 3c3be62. {@code openrlhf/cli/train_ppo_ray.py}: fixed β of 0.01 on K1, scores clipped to ±10, γ 1, λ 1, policy
     * clip 0.2 without dual clip, values clipped at 0.5; {@code trainer/ppo_utils/experience_maker.py}: advantages whitened by n
     * over all of a rollout; {@code models/loss.py}: half the squared error. {@code models/utils.py} clips K1 to ±10 and {@code
     * models/loss.py} log ratios to ±20, which is not done here.
     */
    OPENRLHF(
            new RewardSettings(new KlController.Fixed(0.01), new MissingStop.Keep(), 10, false),
            new AdvantageSettings(1, 1, true),
            losses(new ClippedPolicyLoss(0.2), 0.5, 1)),

    /**
     * verl, at b178a3c. {@code verl/trainer/config/ppo_trainer.yaml}: γ 1, λ 1, and a fixed β of 0.001 on K1 once {@code
     * use_kl_in_reward} is on, which it is here and is not by default there; {@code actor/actor.yaml}: policy clip 0.2, dual clip
     * 3, mean over tokens; {@code critic/critic.yaml}: values clipped at 0.5; {@code verl/utils/torch_functional.py}: advantages
     * whitened by n − 1. Its clamps of log ratios at ±20 are not done here.
     */
    VERL(
            new RewardSettings(new KlController.Fixed(0.001), new MissingStop.Keep(), 0, false),
            new AdvantageSettings(1, 1, true).withDivisor(AdvantageSettings.Divisor.N_MINUS_1),
            losses(new ClippedPolicyLoss(0.2, 0.2, 3), 0.5, 1)),

    /**
     * DeepSpeed-Chat, DeepSpeedExamples at 45b4b71, {@code applications/DeepSpeed-Chat/dschat/rlhf/ppo_trainer.py} (unchanged
     * since e86d0c6): fixed β of 0.1, scores clipped to ±5, γ 1, λ 0.95, both clips 0.2, half the squared error, nothing
     * whitened. It also counts one slot after its mask. Where it pads with the stop token, as with all tokenizers but LLaMA's
     * ({@code dschat/utils/utils.py}), that is the stop token's: its KL, value and the score are credited to it, but nothing is
     * trained there. Here the stop token is trained like any other, and after it there is nothing.
     */
    DEEPSPEED_CHAT(
            new RewardSettings(new KlController.Fixed(0.1), new MissingStop.Keep(), 5, false),
            new AdvantageSettings(1, 0.95, false),
            losses(new ClippedPolicyLoss(0.2), 0.2, 1)),

    /**
     * InstructGPT (Ouyang et al. 2022, §3.5, appendix C.4): fixed β of 0.02, PPO-ptx with coefficient 27.8, which needs
     * pretraining text. There is no source to check these against; they are the paper's as it is commonly cited. λ, the value
     * loss and whitened advantages, of which the paper says nothing, are lm-human-preferences'; rewards are not scaled, and
     * unstopped responses keep their score.
     */
    INSTRUCT_GPT(
            new RewardSettings(new KlController.Fixed(0.02), new MissingStop.Keep(), 0, false),
            new AdvantageSettings(1, 0.95, true),
            losses(new ClippedPolicyLoss(0.2), 0.2, 0.1).withPtx(27.8, 8));

    private final RewardSettings rewards;
    private final AdvantageSettings advantages;
    private final LossSettings losses;

    Dialect(RewardSettings rewards, AdvantageSettings advantages, LossSettings losses) {
        this.rewards = rewards;
        this.advantages = advantages;
        this.losses = losses;
    }

    private static LossSettings losses(ClippedPolicyLoss policy, double valueClip, double valueCoefficient) {
        return LossSettings.defaults()
                .withPolicy(policy)
                .withValue(new ClippedValueLoss(valueClip), valueCoefficient)
                .withAggregation(Aggregation.TOKEN_MEAN);
    }

    public RewardSettings rewards() {
        return rewards;
    }

    public AdvantageSettings advantages() {
        return advantages;
    }

    public LossSettings losses() {
        return losses;
    }

    /** The configuration with this system's conventions. Where no response can stop, the rule for those that do not is left out. */
    public PpoConfig applyTo(PpoConfig config) {
        boolean stoppable = !config.sampling().stopTokens().isEmpty()
                || !config.sampling().stopStrings().isEmpty();
        return config.withRewards(stoppable ? rewards : rewards.withMissingStop(new MissingStop.Keep()))
                .withAdvantages(advantages)
                .withLosses(losses);
    }
}
