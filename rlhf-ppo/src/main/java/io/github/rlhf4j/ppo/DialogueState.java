package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.random.RandomKey;

/**
 * A dialogue at the moment when one of the policy's turns has ended.
 *
 * @param prompt what it began with
 * @param tokens everything so far, from the prompt's tokens to the turn's
 * @param turnTokens the turn: the sampled tokens up to and including the stop token
 * @param turnText the same as text, without special tokens
 * @param turn its number, 0 for the first
 * @param stopped whether it ended by itself, not at the limit on new tokens or at the end of the context
 * @param key of the dialogue's randomness, the same at each turn: {@code key.child(turn)} is for what is drawn in one
 */
public record DialogueState(
        Prompt prompt,
        TokenSequence tokens,
        TokenSequence turnTokens,
        String turnText,
        int turn,
        boolean stopped,
        RandomKey key) {}
