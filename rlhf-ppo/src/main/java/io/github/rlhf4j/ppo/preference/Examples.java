package io.github.rlhf4j.ppo.preference;

import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.training.DataDigest;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * What is learned from, as tokens.
 *
 * @param list the examples in the order of the data
 * @param intake what became of the data
 */
record Examples(List<Example> list, DpoTrainer.Intake intake) {

    static final Examples NONE = new Examples(List.of(), new DpoTrainer.Intake(0, 0, 0));

    int size() {
        return list.size();
    }

    List<Example> select(int[] indices) {
        return Arrays.stream(indices).mapToObj(list::get).toList();
    }

    /** SHA-256 of pairs and desirable responses, or of undesirable ones, with what is compared. */
    String digest(boolean desirable) {
        Stream<ScoredSequence> sequences = list.stream()
                .filter(example -> example.desirable() == desirable)
                .flatMap(example -> example.sequences().stream());
        return DataDigest.ofSequences(sequences::iterator);
    }
}
