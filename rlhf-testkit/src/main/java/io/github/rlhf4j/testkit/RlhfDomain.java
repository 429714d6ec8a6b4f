package io.github.rlhf4j.testkit;

import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.group.GroupConfig;
import io.github.rlhf4j.ppo.preference.DpoConfig;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Provide;
import net.jqwik.api.domains.DomainContextBase;

/**
 * jqwik's domain of {@link RlhfArbitraries} and {@link ConfigArbitraries}: with {@code @Domain(RlhfDomain.class)} a property
 * takes {@code @ForAll Ranking}, {@code Exchange}, {@code RolloutNumbers}, {@code TokenSequence} (0 to 8 ids below {@value
 * #VOCABULARY_SIZE}), {@code SequenceBatch}, {@code PpoConfig}, {@code GroupConfig} or {@code DpoConfig}. Parameters of jqwik's
 * own types need {@code @Domain(DomainContext.Global.class)} beside it.
 */
public class RlhfDomain extends DomainContextBase {

    /** Ids of this domain's token sequences are smaller. */
    public static final int VOCABULARY_SIZE = 16;

    @Provide
    Arbitrary<Ranking> rankings() {
        return RlhfArbitraries.rankings();
    }

    @Provide
    Arbitrary<Exchange> exchanges() {
        return RlhfArbitraries.exchanges();
    }

    @Provide
    Arbitrary<RolloutNumbers> rollouts() {
        return RlhfArbitraries.rollouts();
    }

    @Provide
    Arbitrary<TokenSequence> tokens() {
        return RlhfArbitraries.tokens(VOCABULARY_SIZE, 0, 8);
    }

    @Provide
    Arbitrary<SequenceBatch> batches() {
        return RlhfArbitraries.batches(VOCABULARY_SIZE);
    }

    @Provide
    Arbitrary<PpoConfig> ppoConfigs() {
        return ConfigArbitraries.ppo();
    }

    @Provide
    Arbitrary<GroupConfig> groupConfigs() {
        return ConfigArbitraries.group();
    }

    @Provide
    Arbitrary<DpoConfig> dpoConfigs() {
        return ConfigArbitraries.dpo();
    }
}
