package io.github.rlhf4j.ppo.internal;

import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import java.util.Locale;

/** What a reference policy, and one that draws responses, must be beside the policy that is trained. */
public final class ReferenceRules {

    private ReferenceRules() {}

    /**
     * Checks that a reference can be compared with the trained policy token by token, and stays as it is.
     *
     * @throws IllegalArgumentException when it is the trained object, or their tokenizers differ
     */
    public static void requireFrozen(Policy policy, Policy reference) {
        if (policy == reference) {
            throw new IllegalArgumentException(
                    "the reference policy is the very object that is trained, so the KL to it"
                            + " would always be 0; give a frozen copy");
        }
        requireSharedTokenizer(
                policy.tokenizer(),
                reference.tokenizer(),
                "policy and reference must share a tokenizer, for KL compares them token by token; got %s. Give as reference"
                        + " a copy of the model the policy begins with");
    }

    /**
     * Checks that the trained policy can score what a sampler draws.
     *
     * @throws IllegalArgumentException when their tokenizers differ
     */
    public static void requireSameTokens(Policy policy, Policy sampler) {
        requireSharedTokenizer(
                policy.tokenizer(),
                sampler.tokenizer(),
                "policy and sampler must share a tokenizer, for the policy learns from the very tokens that are drawn; got"
                        + " %s. Give as sampler a copy of the policy, or one of its weights in coarser numbers");
    }

    /** Tokenizers are the same when each id has the same spelling, whatever their classes. */
    private static void requireSharedTokenizer(Tokenizer trained, Tokenizer other, String message) {
        if (trained.equals(other)) {
            return;
        }
        int size = trained.vocabularySize();
        requireShared(
                size == other.vocabularySize(), "vocabularies of " + size + " and " + other.vocabularySize(), message);
        requireShared(
                trained.specialTokens().equals(other.specialTokens()),
                "special tokens " + trained.specialTokens() + " and " + other.specialTokens(),
                message);
        for (int id = 0; id < size; id++) {
            TokenSequence token = TokenSequence.of(id);
            String ours = trained.decode(token);
            String theirs = other.decode(token);
            requireShared(
                    ours.equals(theirs), "token " + id + " as \"" + ours + "\" and as \"" + theirs + "\"", message);
        }
    }

    private static void requireShared(boolean same, String got, String message) {
        if (!same) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, message, got));
        }
    }
}
