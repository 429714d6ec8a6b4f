package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.ppo.math.BestOfNKl;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * Best-of-n sampling: of n responses the one that the reward model likes best (Stiennon et al. 2020, §4.3). No training;
 * what it costs in KL is known, so it stands beside PPO at equal KL.
 *
 * @param policy what samples
 * @param rewardModel what chooses
 * @param sampling how responses are drawn
 * @param n samples per prompt, ≥ 1
 */
public record BestOfN(Policy policy, RewardModel rewardModel, Sampling sampling, int n) {

    /**
     * The chosen response to a prompt.
     *
     * @param exchange prompt and response as text
     * @param completion the response's tokens
     * @param score of the chosen one
     * @param scores of all n, in the order they were drawn
     */
    public record Choice(Exchange exchange, Completion completion, double score, double[] scores) {}

    public BestOfN {
        if (n < 1) {
            throw new IllegalArgumentException("best-of-n needs n ≥ 1 samples, got " + n);
        }
    }

    /** KL to the policy that sampled, at most, nats: log n − (n − 1)/n. */
    public double klBound() {
        return BestOfNKl.bound(n);
    }

    /** One choice per prompt, in order; of equal scores the first drawn wins. */
    public List<Choice> choose(List<Prompt> prompts, long seed) {
        List<Prompt> repeated = prompts.stream()
                .flatMap(prompt -> Collections.nCopies(n, prompt).stream())
                .toList();
        Answers answers = Answers.sample(policy, repeated, sampling, seed);
        double[] scores = Scoring.score(rewardModel, answers.exchanges());
        List<Choice> choices = new ArrayList<>(prompts.size());
        for (int i = 0; i < prompts.size(); i++) {
            double[] own = Arrays.copyOfRange(scores, i * n, (i + 1) * n);
            int best = i * n + indexOfLargest(own);
            choices.add(new Choice(
                    answers.exchanges().get(best), answers.completions().get(best), scores[best], own));
        }
        return choices;
    }

    private static int indexOfLargest(double[] scores) {
        int best = 0;
        for (int i = 1; i < scores.length; i++) {
            best = scores[i] > scores[best] ? i : best;
        }
        return best;
    }
}
