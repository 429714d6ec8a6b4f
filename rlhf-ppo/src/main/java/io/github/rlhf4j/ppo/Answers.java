package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.TokenSequence;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What a policy answered to a batch of prompts, checked to be that.
 *
 * @param completions the answers' tokens with the log-probs they were drawn with
 * @param exchanges the same as text, without special tokens: what a reward model sees
 */
record Answers(List<Completion> completions, List<Exchange> exchanges) {

    /** Is handed each answer when it ends, with its number; the others may still grow. */
    @FunctionalInterface
    interface Listener {
        void onAnswer(int i, Exchange exchange, TokenSequence response);
    }

    /** Samples one answer per prompt. */
    static Answers sample(Policy policy, List<Prompt> prompts, Sampling sampling, long seed) {
        return sample(policy, prompts, sampling, seed, (i, exchange, response) -> {});
    }

    /** Samples one answer per prompt; what the listener throws ends the sampling and is thrown here. */
    static Answers sample(Policy policy, List<Prompt> prompts, Sampling sampling, long seed, Listener listener) {
        List<TokenSequence> tokens = prompts.stream().map(Prompt::tokens).toList();
        Completion[] told = new Completion[prompts.size()];
        Exchange[] exchanges = new Exchange[prompts.size()];
        List<Completion> returned = policy.complete(tokens, sampling, seed, (i, completion) -> {
            requireAnswer(i, tokens, completion);
            requireOnce(i, told);
            told[i] = completion;
            String text = policy.tokenizer().decode(completion.response());
            exchanges[i] = new Exchange(prompts.get(i).conversation(), text);
            listener.onAnswer(i, exchanges[i], completion.response());
        });
        requireAsTold(told, returned);
        return new Answers(List.of(told), List.of(exchanges));
    }

    int size() {
        return completions.size();
    }

    /** Each answer as a trajectory of one turn. */
    Rollout rollout(Sampling sampling) {
        return new Rollout(
                IntStream.range(0, size())
                        .mapToObj(i -> Trajectory.of(completions.get(i), exchanges.get(i)))
                        .toList(),
                sampling.temperature());
    }

    private static void requireAnswer(int i, List<TokenSequence> prompts, Completion completion) {
        if (i < 0 || i >= prompts.size()) {
            throw new IllegalStateException("the policy was given " + prompts.size() + " prompts and completed number "
                    + i + ", counted from 0; Policy.complete returns one for each, in order");
        }
        if (!completion.prompt().equals(prompts.get(i))) {
            throw new IllegalStateException("completion " + i + " of the policy answers another prompt than prompt " + i
                    + "; Policy.complete returns them in the order of the prompts");
        }
        for (double logProb : completion.logProbs()) {
            if (!(logProb <= 0) || Double.isInfinite(logProb)) {
                throw new DivergenceException("a sampled token of response " + i + " has log-probability "
                        + logProb + ", which no drawn token can have: the policy has diverged. Lower the learning"
                        + " rate, and look at ppo/approx_kl and ppo/gradient_norm of the steps before");
            }
        }
    }

    private static void requireOnce(int i, Completion[] told) {
        if (told[i] != null) {
            throw new IllegalStateException("the policy told its listener of the completion of prompt " + i
                    + " twice; Policy.complete tells of each that it returns, once");
        }
    }

    private static void requireAsTold(Completion[] told, List<Completion> returned) {
        if (returned.size() != told.length) {
            throw new IllegalStateException("the policy was given " + told.length + " prompts and returned "
                    + returned.size() + " completions; Policy.complete returns one for each, in order");
        }
        for (int i = 0; i < told.length; i++) {
            if (told[i] == null || !told[i].response().equals(returned.get(i).response())) {
                throw new IllegalStateException("the policy did not tell its listener of the completion that it"
                        + " returned for prompt " + i + "; Policy.complete tells of each that it returns, once");
            }
        }
    }
}
