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
 */
public enum Dialect {

    /**
     * OpenAI's lm-human-preferences (Ziegler et al. 2019): adaptive β from 0.15 towards 6 nats per sequence, −1 without a stop,
     * rewards scaled to unit variance, advantages whitened by n. There each minibatch is whitened by itself; take one
     * minibatch per rollout, as its released settings do.
     */
    OPENAI_2019(
            new RewardSettings(KlController.Adaptive.perSequence(0.15, 6), new MissingStop.FixedScore(-1), 0, true),
            new AdvantageSettings(1, 0.95, true),
            losses(new ClippedPolicyLoss(0.2), 0.2, 0.1)),

    /**
     * TRL 0.7: adaptive β from 0.2 towards 6 nats per sequence, scores as they are, advantages whitened by n − 1. Not TRL's
     * last PPO, which paid the score one slot past the stop token, where a ragged row has nothing.
     */
    TRL(
            new RewardSettings(KlController.Adaptive.perSequence(0.2, 6), new MissingStop.Keep(), 0, false),
            new AdvantageSettings(1, 0.95, true).withDivisor(AdvantageSettings.Divisor.N_MINUS_1),
            losses(new ClippedPolicyLoss(0.2), 0.2, 0.1)),

    /**
     * OpenRLHF: fixed β of 0.01, scores clipped to ±10, λ = 1, advantages whitened by n, values clipped at 0.5. It also clips
     * K1 to ±10, which is not done here.
     */
    OPENRLHF(
            new RewardSettings(new KlController.Fixed(0.01), new MissingStop.Keep(), 10, false),
            new AdvantageSettings(1, 1, true),
            losses(new ClippedPolicyLoss(0.2), 0.5, 1)),

    /** verl: fixed β of 0.001, λ = 1, advantages whitened by n − 1, dual clip 3, values clipped at 0.5. */
    VERL(
            new RewardSettings(new KlController.Fixed(0.001), new MissingStop.Keep(), 0, false),
            new AdvantageSettings(1, 1, true).withDivisor(AdvantageSettings.Divisor.N_MINUS_1),
            losses(new ClippedPolicyLoss(0.2, 0.2, 3), 0.5, 1)),

    /**
     * DeepSpeed-Chat: fixed β of 0.1, scores clipped to ±5, nothing whitened. It counts one slot after the response as well,
     * which a ragged row has not.
     */
    DEEPSPEED_CHAT(
            new RewardSettings(new KlController.Fixed(0.1), new MissingStop.Keep(), 5, false),
            new AdvantageSettings(1, 0.95, false),
            losses(new ClippedPolicyLoss(0.2), 0.2, 1)),

    /**
     * InstructGPT (Ouyang et al. 2022, §3.5, appendix C.4): fixed β of 0.02, PPO-ptx with coefficient 27.8, which needs
     * pretraining text. What the paper does not say is lm-human-preferences'.
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
