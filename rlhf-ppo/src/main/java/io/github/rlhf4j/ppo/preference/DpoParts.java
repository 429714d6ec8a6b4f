package io.github.rlhf4j.ppo.preference;

import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.TrainablePolicy;
import io.github.rlhf4j.ppo.internal.ReferenceRules;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link DpoTrainer} is made of, checked to fit together.
 *
 * @param reference null for none: the loss does without, or takes what the policy begins as
 */
record DpoParts(
        DpoConfig config, TrainablePolicy policy, @Nullable Policy reference, Examples training, Examples heldOut) {

    DpoParts {
        boolean inAdvance = config.referenceScoring() == DpoConfig.ReferenceScoring.PRECOMPUTED;
        if (reference == null && config.loss().reward().needsReference() && !inAdvance) {
            throw new IllegalStateException("a reference policy that scores each step must be a model of its own; call"
                    + " reference(…) with a frozen copy before build(), or let it score in advance"
                    + " (ReferenceScoring.PRECOMPUTED), which needs no second model");
        }
        if (reference != null && !(inAdvance && reference == policy)) {
            ReferenceRules.requireFrozen(policy, reference);
        }
    }

    ReferenceLogProbs referenceOf(Examples examples) {
        Policy scorer = reference == null ? policy : reference;
        return new ReferenceLogProbs(
                examples,
                config.loss().reward().needsReference() && examples.size() > 0 ? scorer : null,
                config.referenceScoring() == DpoConfig.ReferenceScoring.PRECOMPUTED,
                config.temperature(),
                config.microBatchTokens());
    }
}
