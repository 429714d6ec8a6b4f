package io.github.rlhf4j.benchmarks;

import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.transformer.tokenizer.CharacterTokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * verl's digit-completion task: continue an arithmetic sequence, modulo a number, character by character. The prompt
 * {@code 9,10:20,2} gives two neighbours, the modulus 20 and how many numbers are wanted; right is {@code 11,12} and then the
 * end.
 */
public final class DigitCompletion {

    /** Tokens a response may have, the end included. */
    public static final int LONGEST_RESPONSE = 32;

    /** The special token that ends a response. */
    public static final String END = "E";

    /** Begins the answer; an ordinary character, as are padding and unknown, which are never right. */
    private static final String SEPARATOR = "S";

    private static final String CHARACTERS = "0123456789,:" + SEPARATOR + "PU";
    private static final Pattern PROMPT = Pattern.compile("(\\d+),(\\d+):(\\d+),(\\d+)");

    private DigitCompletion() {}

    /** One token per character: the task's 16 symbols. */
    public static CharacterTokenizer tokenizer() {
        return CharacterTokenizer.fromTexts(List.of(CHARACTERS), END);
    }

    /**
     * All 1,000 prompts of one digit: first number 0 to 9, difference 0 to 9, 0 to 9 numbers to complete, modulo 9. (0 and 9
     * are the same difference and the same prompt, so 100 of them stand there twice.)
     */
    public static List<Prompt> prompts(CharacterTokenizer tokenizer) {
        int modulus = 9;
        List<Prompt> prompts = new ArrayList<>();
        for (int first = 0; first <= 9; first++) {
            for (int difference = 0; difference <= 9; difference++) {
                for (int wanted = 0; wanted <= 9; wanted++) {
                    int second = (first + difference) % modulus;
                    String text = first + "," + second + ":" + modulus + "," + wanted;
                    prompts.add(new Prompt(Conversation.of(text), tokenizer.encode(text + SEPARATOR)));
                }
            }
        }
        return prompts;
    }

    /** The right continuation, without the end. */
    public static String answer(String prompt) {
        Matcher numbers = PROMPT.matcher(prompt);
        if (!numbers.matches()) {
            throw new IllegalArgumentException("a prompt reads first,second:modulus,count, got \"" + prompt + "\"");
        }
        int[] n = new int[4];
        for (int i = 0; i < n.length; i++) {
            n[i] = Integer.parseInt(numbers.group(i + 1));
        }
        int modulus = n[2];
        int difference = Math.floorMod(n[1] - n[0], modulus);
        List<Integer> continuation = new ArrayList<>();
        for (int i = 1; i <= n[3]; i++) {
            continuation.add((n[1] + i * difference) % modulus);
        }
        return continuation.stream().map(String::valueOf).collect(Collectors.joining(","));
    }

    /**
     * Share of the answer's tokens, the end counted as one of them, that the response has right before its first mistake, in
     * [0, 1); the end itself is not looked at.
     */
    public static double prefixReward(String prompt, String response) {
        String answer = answer(prompt);
        return (double) commonPrefix(answer, response) / (answer.length() + 1);
    }

    /**
     * What a response is trained on: {@link #prefixReward}, and as much as one right token for an end that stands where
     * nothing wrong came before it, in [0, 1]. An end that comes too early is paid too, as theirs is, if at least one token
     * came before it; it costs what would have come.
     */
    public static double reward(String prompt, String response) {
        return Arrays.stream(tokenRewards(prompt, response, response.length() + 1))
                .sum();
    }

    /**
     * {@link #reward} token by token, as it is earned.
     *
     * @param tokens of the response, the end included if there is one: one character is one token
     */
    static double[] tokenRewards(String prompt, String response, int tokens) {
        String answer = answer(prompt);
        double perToken = 1.0 / (answer.length() + 1);
        int right = commonPrefix(answer, response);
        double[] rewards = new double[tokens];
        Arrays.fill(rewards, 0, right, perToken);
        boolean ended = tokens > response.length();
        boolean nothingWrong = right == response.length() && (right > 0 || answer.isEmpty());
        if (ended && nothingWrong) {
            rewards[right] = perToken;
        }
        return rewards;
    }

    /** The task's reward model, which says for each token what it earned. */
    public static RewardModel rewardModel() {
        return new RewardModel() {
            @Override
            public double[] score(List<Exchange> batch) {
                return batch.stream()
                        .mapToDouble(exchange -> reward(exchange.prompt(), exchange.response()))
                        .toArray();
            }

            @Override
            public double[][] scoreTokens(List<Exchange> batch, List<TokenSequence> responses) {
                return IntStream.range(0, batch.size())
                        .mapToObj(i -> tokenRewards(
                                batch.get(i).prompt(),
                                batch.get(i).response(),
                                responses.get(i).length()))
                        .toArray(double[][]::new);
            }
        };
    }

    private static int commonPrefix(String answer, String response) {
        int right = 0;
        while (right < Math.min(answer.length(), response.length()) && answer.charAt(right) == response.charAt(right)) {
            right++;
        }
        return right;
    }
}
