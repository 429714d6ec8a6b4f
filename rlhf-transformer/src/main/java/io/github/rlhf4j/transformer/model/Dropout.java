package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.kernels.PackedTokens;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Inverted dropout (Srivastava et al. 2014) with keyed randomness: whether a channel is dropped depends on the sequence's
 * key, the place in the network and the position, so neither batch layout nor micro-batches change it, two equal sequences
 * with different keys are thinned differently, and the backward pass draws the same mask again instead of keeping it.
 *
 * @param probability of dropping channels of the residual stream's branches and of embeddings, in [0, 1)
 * @param adapterProbability of dropping channels of what adapters read, in [0, 1)
 * @param keys one for each sequence of the pass
 */
record Dropout(double probability, double adapterProbability, List<RandomKey> keys, Kernels kernels) {

    /** Null where nothing is dropped. */
    static @Nullable Dropout of(
            double probability, double adapterProbability, @Nullable List<RandomKey> keys, Kernels kernels) {
        boolean drops = probability > 0 || adapterProbability > 0;
        return keys == null || !drops ? null : new Dropout(probability, adapterProbability, keys, kernels);
    }

    /** What thins the residual stream: null where nothing of it is dropped. */
    static @Nullable Dropout ofStream(@Nullable Dropout dropout) {
        return dropout == null || dropout.probability == 0 ? null : dropout;
    }

    /** What thins the input of adapters: null where nothing of it is dropped. */
    static @Nullable Dropout ofAdapters(@Nullable Dropout dropout) {
        return dropout == null || dropout.adapterProbability == 0 ? null : dropout;
    }

    /**
     * {@code out [N, C] = in∘mask}, the mask of 0 and 1/(1 − p): activations on the way forward, gradients on the way back.
     *
     * @param place a number for the place in the network
     * @param out may be {@code in}
     */
    void apply(INDArray in, int place, PackedTokens packed, INDArray out, Arena arena) {
        apply(probability, in, place, packed, out, arena);
    }

    /** As {@link #apply}, with the adapters' probability. */
    void applyToAdapter(INDArray in, int place, PackedTokens packed, INDArray out, Arena arena) {
        apply(adapterProbability, in, place, packed, out, arena);
    }

    private void apply(double rate, INDArray in, int place, PackedTokens packed, INDArray out, Arena arena) {
        int width = (int) in.size(1);
        float kept = (float) (1 / (1 - rate));
        RandomKey[] sequences = new RandomKey[packed.sequenceCount()];
        for (int i = 0; i < sequences.length; i++) {
            sequences[i] = keys.get(i).child(place);
        }
        int[] positions = packed.positions();
        kernels.multiplyRows(
                in,
                (row, mask, at) -> {
                    long state = sequences[packed.sequence(row)]
                            .child(positions[row])
                            .bits();
                    for (int c = 0; c < width; c++) {
                        double uniform = (RandomKey.mix(state + c) >>> 11) * 0x1.0p-53;
                        mask[at + c] = uniform < rate ? 0 : kept;
                    }
                },
                out,
                arena);
    }
}
