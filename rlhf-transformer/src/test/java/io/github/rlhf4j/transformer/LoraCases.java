package io.github.rlhf4j.transformer;

import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.transformer.model.LoraConfig;
import io.github.rlhf4j.transformer.model.LoraTarget;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

/** Small models with adapters, for tests. */
final class LoraCases {

    /** All projections that every model has. */
    static final LoraConfig ALL = new LoraConfig(
            3,
            5,
            0,
            EnumSet.of(
                    LoraTarget.QUERY,
                    LoraTarget.KEY,
                    LoraTarget.VALUE,
                    LoraTarget.ATTENTION_OUTPUT,
                    LoraTarget.UP,
                    LoraTarget.DOWN));

    private LoraCases() {}

    /**
     * A model and adapters that fit it.
     *
     * @param config of the model
     * @param lora of the adapters
     */
    record Case(TransformerConfig config, LoraConfig lora) {}

    /** Any family, any targets that it has. */
    static Arbitrary<Case> any() {
        Arbitrary<Set<LoraTarget>> targets =
                Arbitraries.of(LoraTarget.class).set().ofMinSize(1).ofMaxSize(7);
        return Combinators.combine(
                        FamilyConfigs.any(), targets, Arbitraries.integers().between(1, 4))
                .as((config, wanted, rank) -> new Case(config, new LoraConfig(rank, 1.5, 0, fitting(config, wanted))));
    }

    private static Set<LoraTarget> fitting(TransformerConfig config, Set<LoraTarget> wanted) {
        Set<LoraTarget> targets = EnumSet.copyOf(wanted);
        if (!config.activation().gated()) {
            targets.remove(LoraTarget.GATE);
        }
        if (targets.contains(LoraTarget.QUERY_KEY_VALUE)) {
            targets.removeAll(EnumSet.of(LoraTarget.QUERY, LoraTarget.KEY, LoraTarget.VALUE));
        }
        return targets.isEmpty() ? EnumSet.of(LoraTarget.UP) : targets;
    }

    /** Prompt and response, so that the last block computes tails, and a text. */
    static SequenceBatch batch(long seed) {
        return new SequenceBatch(
                List.of(
                        ScoredSequence.of(TestModels.sequence(seed + 1, 3, 13), TestModels.sequence(seed + 2, 4, 13)),
                        ScoredSequence.ofText(TestModels.sequence(seed + 3, 6, 13))),
                0.8);
    }
}
