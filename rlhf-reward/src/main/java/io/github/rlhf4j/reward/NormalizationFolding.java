package io.github.rlhf4j.reward;

import io.github.rlhf4j.transformer.ScalarTransformer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Puts gain and bias into a network's weights, so that the bare network says the normalised score. The gain scales the
 * head w. The head has no bias, but where its input is g∘x̂ + β with a trained final norm's bias β, which nothing else reads,
 * β += b·w/‖w‖² adds exactly b to w·(g∘x̂ + β). RMSNorm has no β, and adapters leave it alone: then the bias has no place.
 */
final class NormalizationFolding {

    private static final String FINAL_NORM_BIAS = "transformer.ln_f.bias";

    private NormalizationFolding() {}

    /** Returns what could not be put into the weights and has to be added to each score. */
    static double fold(ScoreNormalization normalization, ScalarTransformer network) {
        INDArray head = network.parameters().get(ScalarTransformer.HEAD).value();
        head.muli(normalization.gain());
        if (!network.parameters().contains(FINAL_NORM_BIAS)) {
            return normalization.bias();
        }
        if (normalization.bias() != 0) {
            INDArray row = head.reshape(head.length());
            double squaredNorm = row.mul(row).sumNumber().doubleValue();
            if (!(squaredNorm > 0)) {
                throw new IllegalStateException("the head of the reward model is all zeros, so a bias of "
                        + normalization.bias() + " cannot be put into the network; train it first");
            }
            INDArray finalBias = network.parameters().get(FINAL_NORM_BIAS).value();
            finalBias.addi(row.mul(normalization.bias() / squaredNorm));
        }
        return 0;
    }
}
