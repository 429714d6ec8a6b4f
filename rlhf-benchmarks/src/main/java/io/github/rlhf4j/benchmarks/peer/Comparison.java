package io.github.rlhf4j.benchmarks.peer;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Seconds per step of both sides, taken in turns.
 *
 * @param ours our side's
 * @param peers the peer's, by its variant; at least one
 */
record Comparison(Samples ours, Map<String, Samples> peers) {

    Comparison {
        peers = new LinkedHashMap<>(peers);
    }

    /** The peer's fastest variant by its median. */
    String best() {
        return peers.entrySet().stream()
                .min(Comparator.comparingDouble(entry -> entry.getValue().median()))
                .orElseThrow()
                .getKey();
    }

    /** What the peer's fastest variant took. */
    Samples peer() {
        return peers.getOrDefault(best(), ours);
    }

    /** Ours over the peer's fastest. */
    Ratio ratio() {
        return Ratio.of(ours, peer());
    }
}
