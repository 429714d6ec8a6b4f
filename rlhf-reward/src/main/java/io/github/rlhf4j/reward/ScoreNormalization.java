package io.github.rlhf4j.reward;

import java.util.Arrays;

/**
 * An affine map of a reward model's scores: {@code gain·score + bias}. Rankings leave a score's zero (and, as far as PPO
 * is concerned, its unit) open; this fixes them on reference responses before policy optimisation starts.
 *
 * @param gain &gt; 0, so that no preference is turned round
 * @param bias finite, normalised score units
 */
public record ScoreNormalization(double gain, double bias) {

    /** Leaves scores as they are. */
    public static final ScoreNormalization IDENTITY = new ScoreNormalization(1, 0);

    public ScoreNormalization {
        if (!(gain > 0) || Double.isInfinite(gain) || !Double.isFinite(bias)) {
            throw new IllegalArgumentException(
                    "score normalisation needs a positive finite gain and a finite bias, got " + gain + " and " + bias);
        }
    }

    /**
     * The map that gives these scores mean 0 and variance 1, divisor n (Ziegler et al. 2019, §2.1: gain and bias of the
     * reward model set on samples of the reference policy).
     *
     * @param referenceScores raw scores of reference samples, at least two different ones
     */
    public static ScoreNormalization standardizing(double[] referenceScores) {
        return toMoments(referenceScores, 0, 1);
    }

    /** The map that gives these scores this mean and this standard deviation (&gt; 0), divisor n. */
    public static ScoreNormalization toMoments(double[] referenceScores, double mean, double standardDeviation) {
        double oldMean = mean(referenceScores);
        double oldDeviation = Math.sqrt(Arrays.stream(referenceScores)
                .map(score -> (score - oldMean) * (score - oldMean))
                .average()
                .orElseThrow());
        if (!(oldDeviation > 0)) {
            throw new IllegalArgumentException("all " + referenceScores.length + " reference scores are " + oldMean
                    + ", so no gain gives them a spread; use centering(), or a reward model that tells them apart");
        }
        double gain = standardDeviation / oldDeviation;
        return new ScoreNormalization(gain, mean - gain * oldMean);
    }

    /**
     * The map that gives these scores mean 0 and keeps their unit (InstructGPT, §3.5: a bias so that the labeler
     * demonstrations have mean score 0 before RL).
     */
    public static ScoreNormalization centering(double[] referenceScores) {
        return new ScoreNormalization(1, -mean(referenceScores));
    }

    private static double mean(double[] scores) {
        double mean = Arrays.stream(scores)
                .average()
                .orElseThrow(() -> new IllegalArgumentException(
                        "score normalisation needs scores of reference responses, got none"));
        if (!Double.isFinite(mean)) {
            throw new IllegalArgumentException("the mean of the " + scores.length + " reference scores is " + mean
                    + "; the reward model has diverged");
        }
        return mean;
    }

    public double apply(double score) {
        return gain * score + bias;
    }

    /** One normalised score per score; the argument is not changed. */
    public double[] apply(double[] scores) {
        return Arrays.stream(scores).map(this::apply).toArray();
    }

    /** The map that does {@code this} first and {@code next} after it: for normalising again what was normalised. */
    public ScoreNormalization then(ScoreNormalization next) {
        return new ScoreNormalization(next.gain * gain, next.gain * bias + next.bias);
    }
}
