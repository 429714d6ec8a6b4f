package io.github.rlhf4j.transformer.model;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Rotary positions (Su et al. 2021): channels i and i + D/2 of a query or key at position p are turned by the angle {@code p·θᵢ},
 * {@code θᵢ = base^(−2i/D)}. That pairing is Hugging Face's; files that pair neighbours are rearranged when read.
 *
 * @param base above 1: 10,000 in LLaMA 2, 500,000 in LLaMA 3
 * @param scaling how frequencies change for contexts longer than those of pretraining; null for not at all
 */
public record Rotary(double base, @Nullable Scaling scaling) {

    /** A change of frequencies. */
    public sealed interface Scaling {

        /**
         * The frequency that takes the place of this one.
         *
         * @param frequency radians per position
         * @param pair its number, from 0 to D/2 − 1
         */
        double scale(double frequency, int pair);
    }

    /**
     * All frequencies over {@code factor} (Chen et al. 2023), {@code "linear"}.
     *
     * @param factor ≥ 1
     */
    public record Linear(double factor) implements Scaling {

        public Linear {
            require(factor >= 1, "factor must be at least 1", factor);
        }

        @Override
        public double scale(double frequency, int pair) {
            return frequency / factor;
        }
    }

    /**
     * LLaMA 3.1's (Dubey et al. 2024): low frequencies over {@code factor}, high ones as they are, between them a mixture.
     *
     * @param factor ≥ 1; 8 in LLaMA 3.1
     * @param lowFrequencyFactor wavelengths above {@code originalContext} over this are low, > 0; 1
     * @param highFrequencyFactor wavelengths below {@code originalContext} over this are high, above the low one; 4
     * @param originalContext tokens of a sequence in pretraining, ≥ 1; 8,192
     */
    public record Llama3(double factor, double lowFrequencyFactor, double highFrequencyFactor, int originalContext)
            implements Scaling {

        public Llama3 {
            require(factor >= 1, "factor must be at least 1", factor);
            require(lowFrequencyFactor > 0, "lowFrequencyFactor must be above 0", lowFrequencyFactor);
            require(
                    highFrequencyFactor > lowFrequencyFactor,
                    "highFrequencyFactor must be above lowFrequencyFactor (" + lowFrequencyFactor + ")",
                    highFrequencyFactor);
            require(originalContext >= 1, "originalContext must be at least 1", originalContext);
        }

        @Override
        public double scale(double frequency, int pair) {
            double turns = originalContext * frequency / (2 * Math.PI); // in the original context
            double high = (turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
            double share = Math.min(1, Math.max(0, high));
            return share * frequency + (1 - share) * frequency / factor;
        }
    }

    /**
     * Each frequency over a number of its own, as GGUF files list them.
     *
     * @param divisors D/2 of them, each above 0
     */
    public record Divided(List<Double> divisors) implements Scaling {

        public Divided {
            divisors = List.copyOf(divisors);
            divisors.forEach(divisor -> require(
                    divisor > 0 && Double.isFinite(divisor),
                    "what frequencies are divided by must be above 0",
                    divisor));
        }

        @Override
        public double scale(double frequency, int pair) {
            return frequency / divisors.get(pair);
        }
    }

    public Rotary {
        require(base > 1 && Double.isFinite(base), "the base of rotary positions must be above 1", base);
    }

    private static void require(boolean rule, String message, double value) {
        if (!rule || Double.isNaN(value)) {
            throw new IllegalArgumentException(message + ", got " + value);
        }
    }

    /** Without scaling. */
    public static Rotary of(double base) {
        return new Rotary(base, null);
    }

    /** The D/2 frequencies, radians per position. */
    public double[] frequencies(int headSize) {
        double[] frequencies = new double[headSize / 2];
        for (int i = 0; i < frequencies.length; i++) {
            double plain = Math.pow(base, -2.0 * i / headSize);
            frequencies[i] = scaling == null ? plain : scaling.scale(plain, i);
        }
        return frequencies;
    }
}
