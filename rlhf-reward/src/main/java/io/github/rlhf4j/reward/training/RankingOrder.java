package io.github.rlhf4j.reward.training;

import io.github.rlhf4j.core.random.RandomKey;
import java.util.Arrays;

/**
 * Which rankings each update takes: every epoch its own permutation, a function of the seed and the epoch alone, cut into
 * batches that differ by at most one ranking (so that no update is made from a small rest).
 */
final class RankingOrder {

    private final int rankings;
    private final int stepsPerEpoch;
    private final RandomKey key;
    private long permutedEpoch = -1;
    private int[] permutation = {};

    RankingOrder(int rankings, int rankingsPerBatch, long seed) {
        this.rankings = rankings;
        this.stepsPerEpoch = RewardModelConfig.stepsPerEpoch(rankings, rankingsPerBatch);
        this.key = RandomKey.of(seed).child("reward").child("order");
    }

    /** Indices of the rankings of an update. */
    int[] batch(long step) {
        long epoch = step / stepsPerEpoch;
        long part = step % stepsPerEpoch;
        if (epoch != permutedEpoch) {
            permutation = key.child(epoch).permutation(rankings);
            permutedEpoch = epoch;
        }
        int from = (int) (part * rankings / stepsPerEpoch);
        int to = (int) ((part + 1) * rankings / stepsPerEpoch);
        return Arrays.copyOfRange(permutation, from, to);
    }
}
