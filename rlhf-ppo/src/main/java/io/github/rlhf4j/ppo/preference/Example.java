package io.github.rlhf4j.ppo.preference;

import io.github.rlhf4j.core.ScoredSequence;
import java.util.List;
import java.util.stream.Stream;

/**
 * One element of a batch.
 *
 * @param learned what goes forward and backward: the chosen and the rejected response of a pair, or one judged response
 * @param compared what is scored beside it without a gradient: for KTO a response to another prompt
 * @param desirable of a judged response; true for a pair
 */
record Example(List<ScoredSequence> learned, List<ScoredSequence> compared, boolean desirable) {

    static Example ofPair(ScoredSequence chosen, ScoredSequence rejected) {
        return new Example(List.of(chosen, rejected), List.of(), true);
    }

    /** Tokens that go forward and backward. */
    int tokens() {
        return learned.stream().mapToInt(ScoredSequence::length).sum();
    }

    /** All sequences, those that are learned first. */
    List<ScoredSequence> sequences() {
        return Stream.concat(learned.stream(), compared.stream()).toList();
    }
}
