package io.github.rlhf4j.ppo.preference;

import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.ppo.internal.ReferenceRules;
import io.github.rlhf4j.ppo.math.Ragged;
import io.github.rlhf4j.ppo.preference.math.ImplicitReward;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * "Your language model is secretly a reward model" (Rafailov et al. 2023): the implicit reward of a policy that was trained
 * on preferences, as a reward model for ranking, best-of-n, or optimisation. It is also a reward for each token (Rafailov
 * et al. 2024, "From r to Q*"), whose sum is the score.
 *
 * <p>Scores of responses to one prompt compare; between prompts there is a constant that nothing determines. The models
 * belong to the caller.
 */
public final class ImplicitRewardModel implements RewardModel {

    private final Policy policy;
    private final @Nullable Policy reference;
    private final ChatFormat format;
    private final ImplicitReward reward;
    private final double temperature;

    private ImplicitRewardModel(
            Policy policy, @Nullable Policy reference, ChatFormat format, ImplicitReward reward, double temperature) {
        this.policy = policy;
        this.reference = reference;
        this.format = format;
        this.reward = reward;
        this.temperature = temperature;
    }

    /**
     * The reward of a policy against the reference it was trained with.
     *
     * @param reward of the loss it was trained with: {@code config.loss().reward()}
     * @throws IllegalArgumentException when the policies are one object, or have different tokenizers
     */
    public static ImplicitRewardModel of(Policy policy, Policy reference, ChatFormat format, ImplicitReward reward) {
        ReferenceRules.requireFrozen(policy, reference);
        return new ImplicitRewardModel(policy, reward.needsReference() ? reference : null, format, reward, 1);
    }

    /**
     * The reward of a policy that was trained without a reference (SimPO, CPO, ORPO, SLiC-HF).
     *
     * @throws IllegalArgumentException when the reward needs a reference
     */
    public static ImplicitRewardModel withoutReference(Policy policy, ChatFormat format, ImplicitReward reward) {
        if (reward.needsReference()) {
            throw new IllegalArgumentException("the reward " + reward
                    + " is measured against a reference policy; give it" + " to ImplicitRewardModel.of");
        }
        return new ImplicitRewardModel(policy, null, format, reward, 1);
    }

    /**
     * The reward of a policy that was trained at a temperature.
     *
     * @param tau {@code config.temperature()}, &gt; 0
     */
    public ImplicitRewardModel withTemperature(double tau) {
        if (!(tau > 0) || Double.isInfinite(tau)) {
            throw new IllegalArgumentException(
                    "the temperature of an implicit reward must be > 0 and finite, got " + tau);
        }
        return new ImplicitRewardModel(policy, reference, format, reward, tau);
    }

    @Override
    public double[] score(List<Exchange> batch) {
        if (batch.isEmpty()) {
            return new double[0];
        }
        return Ragged.rowSums(rewards(batch.stream().map(format::exchange).toList()));
    }

    @Override
    public double[][] scoreTokens(List<Exchange> batch, List<TokenSequence> responses) {
        List<ScoredSequence> sequences = new ArrayList<>(batch.size());
        for (int i = 0; i < batch.size(); i++) {
            sequences.add(ScoredSequence.of(format.prompt(batch.get(i).conversation()), responses.get(i)));
        }
        return sequences.isEmpty() ? new double[0][] : rewards(sequences);
    }

    /** One reward per response token. */
    private double[][] rewards(List<ScoredSequence> sequences) {
        SequenceBatch batch = new SequenceBatch(sequences, temperature);
        double[][] logProbs = policy.score(batch).logProbs();
        double[][] rows = reference == null
                ? logProbs
                : Ragged.combine(logProbs, reference.score(batch).logProbs(), (own, other) -> own - other);
        return Arrays.stream(rows)
                .map(row -> Arrays.stream(row)
                        .map(nats -> reward.perNat(row.length) * nats)
                        .toArray())
                .toArray(double[][]::new);
    }
}
