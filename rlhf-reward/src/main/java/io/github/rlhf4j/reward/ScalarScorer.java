package io.github.rlhf4j.reward;

import io.github.rlhf4j.core.Checkpointable;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.UpdateReport;
import java.util.List;

/** A network that reads tokens and says one number per asked position: what a reward model is before it knows text. */
interface ScalarScorer extends Checkpointable {

    /** The most tokens a sequence may have. */
    int contextLength();

    /** The number at each asked position (0-based; the state after having read that token), one row per sequence. */
    double[][] score(List<TokenSequence> sequences, List<int[]> positions);

    /** The same numbers, by a pass that can go backward. */
    Pass forward(List<TokenSequence> sequences, List<int[]> positions);

    UpdateReport update(double learningRate);

    /** See {@link RewardPass}. */
    interface Pass extends AutoCloseable {

        double[][] scores();

        void backward(double[][] dScores);

        @Override
        void close();
    }
}
