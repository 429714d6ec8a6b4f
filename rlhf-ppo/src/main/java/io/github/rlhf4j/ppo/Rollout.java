package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenSequence;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What the policy said to a batch of prompts.
 *
 * @param prompts one per response
 * @param completions the responses' tokens with the log-probs they were drawn with
 * @param exchanges the same as text, without special tokens: what the reward model sees
 * @param temperature the responses were drawn at
 */
record Rollout(List<Prompt> prompts, List<Completion> completions, List<Exchange> exchanges, double temperature) {

    /** Is handed each response when it ends, with its number in the rollout; the others may still grow. */
    @FunctionalInterface
    interface ResponseListener {
        void onResponse(int i, Exchange exchange, TokenSequence response);
    }

    /** Samples one response per prompt. */
    static Rollout sample(Policy policy, List<Prompt> prompts, Sampling sampling, long seed) {
        return sample(policy, prompts, sampling, seed, (i, exchange, response) -> {});
    }

    /** Samples one response per prompt; what the listener throws ends the sampling and is thrown here. */
    static Rollout sample(
            Policy policy, List<Prompt> prompts, Sampling sampling, long seed, ResponseListener listener) {
        List<TokenSequence> tokens = prompts.stream().map(Prompt::tokens).toList();
        Completion[] told = new Completion[prompts.size()];
        Exchange[] exchanges = new Exchange[prompts.size()];
        List<Completion> returned = policy.complete(tokens, sampling, seed, (i, completion) -> {
            requireAnswer(i, tokens, completion);
            requireOnce(i, told);
            told[i] = completion;
            String text = policy.tokenizer().decode(completion.response());
            exchanges[i] = new Exchange(prompts.get(i).conversation(), text);
            listener.onResponse(i, exchanges[i], completion.response());
        });
        requireAsTold(told, returned);
        return new Rollout(prompts, List.of(told), List.of(exchanges), sampling.temperature());
    }

    /**
     * Each response as listeners see it.
     *
     * @param scores of the reward model, one for each
     * @param kl to the reference, nats, one for each
     */
    List<RolloutSample> samples(double[] scores, double[] kl) {
        return IntStream.range(0, size())
                .mapToObj(i -> {
                    Completion completion = completions.get(i);
                    return new RolloutSample(
                            exchanges.get(i),
                            scores[i],
                            kl[i],
                            completion.response().length(),
                            completion.stopped());
                })
                .toList();
    }

    /** Prompts and responses, the responses scored, at the sampling temperature. */
    SequenceBatch batch() {
        return SequenceBatch.ofCompletions(completions, temperature);
    }

    /** The response tokens, one row each. */
    List<TokenSequence> responses() {
        return completions.stream().map(Completion::response).toList();
    }

    int size() {
        return completions.size();
    }

    /** Number of different responses; 1 is a policy that says the same to every prompt. */
    long distinctResponses() {
        return completions.stream().map(Completion::response).distinct().count();
    }

    /** The mean of −log π over the drawn tokens, nats: an estimate of the entropy per token, at no cost. */
    double sampledEntropy() {
        return 0
                - completions.stream()
                        .flatMapToDouble(completion -> Arrays.stream(completion.logProbs()))
                        .average()
                        .orElse(Double.NaN);
    }

    /** Number of responses that ended by themselves. */
    long stoppedCount() {
        return completions.stream().filter(Completion::stopped).count();
    }

    /** log π of each response token when it was drawn, nats. */
    double[][] logProbs() {
        return completions.stream().map(Completion::logProbs).toArray(double[][]::new);
    }

    /** Whether each response ended by itself. */
    boolean[] stopped() {
        boolean[] stopped = new boolean[size()];
        for (int i = 0; i < stopped.length; i++) {
            stopped[i] = completions.get(i).stopped();
        }
        return stopped;
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
