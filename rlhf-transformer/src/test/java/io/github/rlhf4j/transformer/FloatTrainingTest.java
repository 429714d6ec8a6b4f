package io.github.rlhf4j.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

/** A whole training in float32 goes the same way with either implementation of the kernels. */
class FloatTrainingTest {

    private static final String PROPERTY = "rlhf4j.kernels";

    private static double[] losses(String kernels) {
        String before = System.getProperty(PROPERTY);
        System.setProperty(PROPERTY, kernels);
        TransformerConfig config = TransformerConfig.gpt2(17, 24, 16, 2, 4);
        try (TransformerPolicy policy = TransformerPolicy.create(
                config, TestModels.ids(config.vocabularySize()), AdamWConfig.gpt3(), 1, DataType.FLOAT)) {
            return losses(policy);
        } finally {
            if (before == null) {
                System.clearProperty(PROPERTY);
            } else {
                System.setProperty(PROPERTY, before);
            }
        }
    }

    private static double[] losses(TransformerPolicy policy) {
        List<ScoredSequence> batch = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            batch.add(ScoredSequence.ofText(TestModels.sequence(i, 9 + 3 * i, 17)));
        }
        SequenceBatch sequences = new SequenceBatch(batch);
        double[][] weights =
                batch.stream().map(s -> filled(s.tokens().length() - 1, 0.02)).toArray(double[][]::new);
        double[] losses = new double[20];
        for (int step = 0; step < losses.length; step++) {
            double[][] logProbs = policy.accumulate(sequences, weights, null);
            losses[step] = -Arrays.stream(logProbs)
                    .flatMapToDouble(Arrays::stream)
                    .average()
                    .orElseThrow();
            policy.update(3e-3);
        }
        return losses;
    }

    private static double[] filled(int length, double value) {
        double[] filled = new double[length];
        Arrays.fill(filled, value);
        return filled;
    }

    /** Rounding differs and 20 updates carry it on; a wrong gradient differs by orders more. */
    @Test
    void bothKernelsTrainTheSameModel() {
        double[] reference = losses("nd4j");
        double[] fused = losses("fused");
        assertThat(fused).containsExactly(reference, within(1e-3));
        assertThat(fused[19]).isLessThan(fused[0] - 0.1);
        assertThat(losses("fused")).as("same bits again").containsExactly(fused);
    }
}
