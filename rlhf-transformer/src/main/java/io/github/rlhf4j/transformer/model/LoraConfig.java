package io.github.rlhf4j.transformer.model;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/**
 * Low-rank adaptation (Hu et al. 2021, "LoRA"): beside a frozen matrix W a product of two small ones is trained, {@code out =
 * in·W + alpha/rank·dropout(in)·A·B}.
 *
 * @param rank columns of A and rows of B, ≥ 1
 * @param alpha the product counts {@code alpha/rank} times; positive
 * @param dropout probability in [0, 1) with which a channel of what A reads is dropped, in passes that have dropout keys
 * @param targets the projections of every block that get an adapter, at least one; {@link LoraTarget#QUERY_KEY_VALUE} not
 *     together with one of its parts
 */
public record LoraConfig(int rank, double alpha, double dropout, Set<LoraTarget> targets) {

    private static final Set<LoraTarget> PARTS = EnumSet.of(LoraTarget.QUERY, LoraTarget.KEY, LoraTarget.VALUE);

    public LoraConfig {
        require(rank >= 1, "rank must be at least 1", rank);
        require(alpha > 0 && alpha < Double.POSITIVE_INFINITY, "alpha must be positive and finite", alpha);
        require(dropout >= 0 && dropout < 1, "dropout must lie in [0, 1)", dropout);
        require(!targets.isEmpty(), "targets must name at least one projection", targets);
        require(
                !targets.contains(LoraTarget.QUERY_KEY_VALUE) || Collections.disjoint(targets, PARTS),
                "targets must not name QUERY_KEY_VALUE and one of its parts",
                targets);
        targets = Collections.unmodifiableSet(EnumSet.copyOf(targets));
    }

    private static void require(boolean rule, String message, Object value) {
        if (!rule) {
            throw new IllegalArgumentException(message + ", got " + value);
        }
    }

    /** PEFT's defaults (rank 8, alpha 8, no dropout) on the paper's targets, queries and values (Hu et al. 2021 §7.1). */
    public static LoraConfig defaults() {
        return new LoraConfig(8, 8, 0, EnumSet.of(LoraTarget.QUERY, LoraTarget.VALUE));
    }

    public LoraConfig withRank(int value) {
        return new LoraConfig(value, alpha, dropout, targets);
    }

    public LoraConfig withAlpha(double value) {
        return new LoraConfig(rank, value, dropout, targets);
    }

    public LoraConfig withDropout(double value) {
        return new LoraConfig(rank, alpha, value, targets);
    }

    public LoraConfig withTargets(Set<LoraTarget> value) {
        return new LoraConfig(rank, alpha, dropout, value);
    }

    /** What the product of A and B counts. */
    double scale() {
        return alpha / rank;
    }
}
