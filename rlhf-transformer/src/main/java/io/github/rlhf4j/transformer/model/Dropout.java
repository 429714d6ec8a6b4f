package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.kernels.PackedTokens;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Inverted dropout (Srivastava et al. 2014) with keyed randomness: whether a channel is dropped depends on the sequence's
 * key, the place in the network and the position, so neither batch layout nor micro-batches change it, and two equal
 * sequences with different keys are thinned differently.
 *
 * @param probability of dropping, in (0, 1)
 * @param keys one for each sequence of the pass
 */
record Dropout(double probability, List<RandomKey> keys) {

    static @Nullable Dropout of(double probability, @Nullable List<RandomKey> keys) {
        return keys == null || probability == 0 ? null : new Dropout(probability, keys);
    }

    /**
     * Drops in place.
     *
     * @param place a number for the place in the network
     * @param taken receives the mask, {@code [N, C]} of 0 and 1/(1 − p), which is also the gradient's
     */
    void apply(INDArray rows, int place, PackedTokens packed, INDArray taken) {
        int width = (int) rows.size(1);
        float[] mask = new float[packed.rows() * width];
        float kept = (float) (1 / (1 - probability));
        int at = 0;
        for (int i = 0; i < packed.sequenceCount(); i++) {
            RandomKey sequence = keys.get(i).child(place);
            for (int t = 0; t < packed.length(i); t++) {
                long state = sequence.child(t).bits();
                for (int c = 0; c < width; c++) {
                    double uniform = (RandomKey.mix(state + c) >>> 11) * 0x1.0p-53;
                    mask[at++] = uniform < probability ? 0 : kept;
                }
            }
        }
        try (INDArray raw = Nd4j.createFromArray(mask)) {
            taken.assign(raw.reshape(rows.shape()));
        }
        rows.muli(taken);
    }
}
