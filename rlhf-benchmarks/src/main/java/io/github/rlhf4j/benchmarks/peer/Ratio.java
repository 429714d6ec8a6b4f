package io.github.rlhf4j.benchmarks.peer;

import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Ours over the peer's, less than 1 where we need less.
 *
 * @param ofMedians median of ours over median of the peer's
 * @param least of the rounds' own ratios
 * @param most of the rounds' own ratios
 */
record Ratio(double ofMedians, double least, double most) {

    /** The ratio of measurements that were taken in turns: number i of one beside number i of the other. */
    static Ratio of(Samples ours, Samples peer) {
        if (ours.count() != peer.count()) {
            throw new IllegalArgumentException("both sides are measured in the same rounds, got " + ours.count()
                    + " of ours and " + peer.count() + " of the peer's");
        }
        Samples rounds = new Samples(IntStream.range(0, ours.count())
                .mapToDouble(i -> ours.values()[i] / peer.values()[i])
                .toArray());
        return new Ratio(ours.median() / peer.median(), rounds.min(), rounds.max());
    }

    /** Such as {@code 0.71 (0.69–0.74)}. */
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%.2f (%.2f–%.2f)", ofMedians, least, most);
    }
}
