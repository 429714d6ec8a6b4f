package io.github.rlhf4j.ppo.internal;

import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;

/** What a reference policy must be beside the policy that is trained. */
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
        requireSharedTokenizer(policy.tokenizer(), reference.tokenizer());
    }

    /** Tokenizers are the same when each id has the same spelling, whatever their classes. */
    private static void requireSharedTokenizer(Tokenizer trained, Tokenizer frozen) {
        if (trained.equals(frozen)) {
            return;
        }
        int size = trained.vocabularySize();
        requireShared(size == frozen.vocabularySize(), "vocabularies of " + size + " and " + frozen.vocabularySize());
        requireShared(
                trained.specialTokens().equals(frozen.specialTokens()),
                "special tokens " + trained.specialTokens() + " and " + frozen.specialTokens());
        for (int id = 0; id < size; id++) {
            TokenSequence token = TokenSequence.of(id);
            String ours = trained.decode(token);
            String theirs = frozen.decode(token);
            requireShared(ours.equals(theirs), "token " + id + " as \"" + ours + "\" and as \"" + theirs + "\"");
        }
    }

    private static void requireShared(boolean same, String got) {
        if (!same) {
            throw new IllegalArgumentException(
                    "policy and reference must share a tokenizer, for KL compares them token by" + " token; got " + got
                            + ". Give as reference a copy of the model the policy begins with");
        }
    }
}
