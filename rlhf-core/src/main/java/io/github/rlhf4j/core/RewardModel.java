package io.github.rlhf4j.core;

import java.util.List;

/**
 * Says how good responses are. A user's own is one lambda:
 *
 * <pre>{@code
 * RewardModel brevity = batch -> batch.stream().mapToDouble(e -> -e.response().length()).toArray();
 * }</pre>
 *
 * <p>It sees text, so it need not share the policy's tokenizer.
 */
@FunctionalInterface
public interface RewardModel {

    /**
     * One score per exchange, in order; larger is better, any finite number. A trainer that receives another count, or a
     * number that is not finite, stops with a message that names the exchange. Nothing else in the batch moves an
     * exchange's score: trainers cut batches as it suits them. An empty batch has no scores.
     */
    double[] score(List<Exchange> batch);

    /**
     * Rewards token by token, for tasks that can say where in a response it was earned. The default pays the whole score
     * with the last token, as RLHF does (Ziegler et al. 2019); a model that knows better overrides this, with rows that sum
     * to {@link #score}'s numbers.
     *
     * @param batch prompts and responses as text
     * @param responses the tokens of each response as the policy drew them, at least one, the stop token included
     * @return one row per exchange, one finite reward per response token
     */
    default double[][] scoreTokens(List<Exchange> batch, List<TokenSequence> responses) {
        double[] scores = score(batch);
        double[][] rewards = new double[scores.length][];
        for (int i = 0; i < scores.length; i++) {
            rewards[i] = new double[i < responses.size() ? responses.get(i).length() : 1];
            rewards[i][rewards[i].length - 1] = scores[i];
        }
        return rewards;
    }
}
