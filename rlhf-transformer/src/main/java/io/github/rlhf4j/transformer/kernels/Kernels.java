package io.github.rlhf4j.transformer.kernels;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The narrow waist to the hardware: each numeric operation of the network with its backward. Everything above is
 * arithmetic on shapes.
 *
 * <p>Arrays are 'c'-ordered. Outputs are given by the caller and overwritten; parameter gradients ({@code dWeight},
 * {@code dBias}, {@code dGain}, {@code dTable}) are <em>added</em> to, and so is what goes back into a residual stream (the
 * {@code dIn} of a norm). Scratch memory is taken from the arena and given
 * back before a method returns.
 */
public interface Kernels {

    /** The most logits alive at once, those of a reference included, unless a single row has more. */
    long LOGITS_AT_ONCE = 1L << 22;

    /**
     * {@code out [N, M] = in [N, K] · weight [K, M] + bias [M]}.
     *
     * @param bias null for none
     */
    void linear(INDArray in, INDArray weight, @Nullable INDArray bias, INDArray out);

    /** {@code sum [N, M] += in [N, K] · weight [K, M] + bias [M]}: a branch of a residual stream. */
    void addLinear(INDArray in, INDArray weight, @Nullable INDArray bias, INDArray sum);

    /**
     * {@code dIn = dOut · weightᵀ; dWeight += inᵀ · dOut; dBias += Σ_rows dOut}.
     *
     * @param dWeight null when the weight is not trained
     * @param dBias null when there is none, or it is not trained
     */
    void linearBackward(
            INDArray dOut,
            INDArray in,
            INDArray weight,
            INDArray dIn,
            @Nullable INDArray dWeight,
            @Nullable INDArray dBias,
            Arena arena);

    /**
     * As the other {@code linear}, on int8 weights: {@code out [N, M] = in [N, K]·(scale·q) [K, M] + bias [M]}. No kernel keeps
     * the floats behind the call.
     *
     * @param bias null for none
     */
    void linear(INDArray in, Int8Matrix weight, @Nullable INDArray bias, INDArray out, Arena arena);

    /** As the other {@code addLinear}, on int8 weights. */
    void addLinear(INDArray in, Int8Matrix weight, @Nullable INDArray bias, INDArray sum, Arena arena);

    /** {@code dIn [N, K] = dOut [N, M]·(scale·q)ᵀ}; int8 weights are not trained. */
    void linearBackward(INDArray dOut, Int8Matrix weight, INDArray dIn, Arena arena);

    /**
     * LayerNorm over each row (Ba et al. 2016): {@code normalized = (in − mean)·inverseDeviation}, {@code out =
     * normalized·gain + bias}, with {@code inverseDeviation [N] = 1/√(variance + ε)}.
     *
     * @param bias null for none
     */
    void layerNorm(
            INDArray in,
            INDArray gain,
            @Nullable INDArray bias,
            double epsilon,
            INDArray normalized,
            INDArray inverseDeviation,
            INDArray out,
            Arena arena);

    /**
     * RMSNorm over each row (Zhang and Sennrich 2019): {@code normalized = in·inverseDeviation}, {@code out =
     * normalized·gain}, with {@code inverseDeviation [N] = 1/√(mean(in²) + ε)}.
     */
    void rmsNorm(
            INDArray in,
            INDArray gain,
            double epsilon,
            INDArray normalized,
            INDArray inverseDeviation,
            INDArray out,
            Arena arena);

    /**
     * {@code out [N, C] = normalized·gain + bias}: the end of {@link #layerNorm} or {@link #rmsNorm} once more, to the same
     * bits.
     */
    void scaleAndShift(INDArray normalized, INDArray gain, @Nullable INDArray bias, INDArray out);

    /**
     * With {@code g = dOut·gain}: {@code dIn += inverseDeviation·(g − mean(g) − normalized·mean(g·normalized))}.
     *
     * @param dGain null when it is not trained
     * @param dBias null when there is none, or it is not trained
     */
    void layerNormBackward(
            INDArray dOut,
            INDArray gain,
            INDArray normalized,
            INDArray inverseDeviation,
            INDArray dIn,
            @Nullable INDArray dGain,
            @Nullable INDArray dBias,
            Arena arena);

    /**
     * With {@code g = dOut·gain}: {@code dIn += inverseDeviation·(g − normalized·mean(g·normalized))}.
     *
     * @param dGain null when it is not trained
     */
    void rmsNormBackward(
            INDArray dOut,
            INDArray gain,
            INDArray normalized,
            INDArray inverseDeviation,
            INDArray dIn,
            @Nullable INDArray dGain,
            Arena arena);

    /**
     * GELU in its tanh form (Hendrycks and Gimpel 2016): {@code out = ½·in·(1 + tanh(√(2/π)(in + 0.044715·in³)))}.
     */
    void gelu(INDArray in, INDArray out, Arena arena);

    /** {@code dIn = dOut·(½(1 + tanh) + ½·in·(1 − tanh²)·√(2/π)(1 + 3·0.044715·in²))}, tanh as in {@link #gelu}. */
    void geluBackward(INDArray dOut, INDArray in, INDArray dIn, Arena arena);

    /** The non-linearity of a gate. */
    enum Gate {
        /** {@code x·σ(x)}: SwiGLU. */
        SILU,
        /** As {@link #gelu}: GEGLU. */
        GELU
    }

    /**
     * A gated linear unit (Shazeer 2020): {@code out [N, F] = gate(in[:, :F])∘in[:, F:]}.
     *
     * @param in {@code [N, 2F]}
     */
    void gated(Gate gate, INDArray in, INDArray out, Arena arena);

    /** {@code dIn[:, :F] = dOut∘in[:, F:]∘gate′(in[:, :F]); dIn[:, F:] = dOut∘gate(in[:, :F])}. */
    void gatedBackward(Gate gate, INDArray dOut, INDArray in, INDArray dIn, Arena arena);

    /**
     * {@code out [N, C] = in∘factors}.
     *
     * @param out may be {@code in}
     */
    void multiplyRows(INDArray in, RowFactors factors, INDArray out, Arena arena);

    /** The factors of a row; asked for from several threads, in no order. */
    @FunctionalInterface
    interface RowFactors {

        /** Writes the C factors of {@code row} into {@code into} from {@code at} on. */
        void write(int row, float[] into, int at);
    }

    /**
     * {@code out [N, C] = tokenTable[token] + positionTable[position]}.
     *
     * @param positionTable null where positions are rotary
     */
    void embed(
            int[] tokens,
            int[] positions,
            INDArray tokenTable,
            @Nullable INDArray positionTable,
            INDArray out,
            Arena arena);

    /**
     * {@code dTokenTable[token] += dOut; dPositionTable[position] += dOut}.
     *
     * @param dPositionTable null where positions are rotary
     */
    void embedBackward(
            INDArray dOut,
            int[] tokens,
            int[] positions,
            INDArray dTokenTable,
            @Nullable INDArray dPositionTable,
            Arena arena);

    /**
     * Rotary positions (Su et al. 2021), in place: of each query and key head in a row at position p, channels i and i + D/2
     * are turned by the angle {@code p·θᵢ}.
     *
     * @param qkv {@code [N, (H + 2K)·D]}; values stay as they are
     * @param positions {@code [N]}
     */
    void rotate(AttentionShape shape, INDArray qkv, int[] positions, RotaryAngles angles, Arena arena);

    /** Turns by the opposite angles: what {@link #rotate} does to gradients on their way back. */
    void rotateBackward(AttentionShape shape, INDArray dQkv, int[] positions, RotaryAngles angles, Arena arena);

    /**
     * Causal self-attention within each sequence: for each query head {@code softmax(q·kᵀ/√D)·v}.
     *
     * @param packed the M rows that attend, to all N rows of their sequences; M = N but for {@link PackedTokens#tails}
     * @param qkv {@code [N, (H + 2K)·D]}: heads of queries, keys, values side by side
     * @param out {@code [M, H·D]}
     */
    void attention(PackedTokens packed, AttentionShape shape, INDArray qkv, INDArray out, Arena arena);

    /**
     * Gradient of {@link #attention}; the attention weights are computed again.
     *
     * @param dOut {@code [M, H·D]}
     * @param dQkv {@code [N, (H + 2K)·D]}; zero for queries of rows that do not attend
     */
    void attentionBackward(
            PackedTokens packed, AttentionShape shape, INDArray dOut, INDArray qkv, INDArray dQkv, Arena arena);

    /** An empty cache; it grows as its sequences do. */
    KeyValueCache keyValueCache(AttentionShape shape, DataType dataType);

    /** {@code out [N, V] = in [N, C] · tableᵀ}, table {@code [V, C]}: the logits of a few rows. */
    void multiplyByTransposed(INDArray in, INDArray table, INDArray out);

    /**
     * A linear layer for decoding.
     *
     * @param weight {@code [K, M]}
     * @param bias {@code [M]}; null for none
     */
    PackedLinear pack(INDArray weight, @Nullable INDArray bias, WeightFormat format);

    /** As the other {@code pack}, of weights that are in {@link WeightFormat#INT8} and stay so. */
    PackedLinear pack(Int8Matrix weight, @Nullable INDArray bias);

    /** As {@link #pack}, without bias, of the transpose of {@code table [M, K]}: a token head's logits. */
    PackedLinear packTransposed(INDArray table, WeightFormat format);

    /** A copy of {@code matrix [N, M]} in Java's memory. */
    float[][] toRows(INDArray matrix);

    /** {@code into[i] = from[rows[i]]}, row by row. */
    void gatherRows(INDArray from, int[] rows, INDArray into);

    /** {@code into [N, K] = from[:, first : first + K]}, of {@code from [N, M]}. */
    void copyColumns(INDArray from, int first, INDArray into);

    /** {@code into[:, first : first + K] += from [N, K]}, of {@code into [N, M]}. */
    void addColumns(INDArray from, INDArray into, int first);

    /** {@code into[rows[i]] += from[i]}, row by row; a row named several times gets the sum, the same bits each time. */
    void scatterAddRows(INDArray from, int[] rows, INDArray into, Arena arena);

    /**
     * The token head: for each row of {@code hidden}, the distribution {@code softmax(hidden · tableᵀ / τ)} over the
     * vocabulary, of which only log-probability, entropy and the KL to a reference leave, and if asked for the gradient goes
     * back. Logits are alive for a few rows at a time.
     *
     * @param hidden {@code [M, C]}
     * @param table {@code [V, C]}
     * @param targets {@code [M]} tokens
     * @param temperature τ > 0
     * @param out receives log-probability and entropy of each row, nats
     * @param gradient if present, the upstream gradients and where theirs go
     */
    void tokenHead(
            INDArray hidden,
            INDArray table,
            int[] targets,
            double temperature,
            TokenHeadOutput out,
            @Nullable TokenHeadGradient gradient,
            Arena arena);

    /** Euclidean norm of a vector, in double. */
    double norm(INDArray vector);

    /**
     * One step of AdamW (Loshchilov and Hutter 2019, algorithm 2) over flat buffers {@code [P]}, with {@code g} the
     * gradient times the step's scale: {@code w = w·decay} in the decayed ranges, {@code m = β₁m + (1 − β₁)g}, {@code v =
     * β₂v + (1 − β₂)g²}, {@code w = w − stepSize·m/(√v·rootScale + ε)}. The gradients are zero afterwards.
     *
     * @param decayed ranges of weights that decay, ascending, disjoint
     */
    void adamW(
            AdamWStep step,
            INDArray values,
            INDArray gradients,
            INDArray firstMoment,
            INDArray secondMoment,
            List<DecayedRange> decayed,
            Arena arena);

    /**
     * The numbers of one AdamW step.
     *
     * @param gradientScale what gradients are multiplied by, for clipping; 1 for nothing
     * @param beta1 β₁
     * @param beta2 β₂
     * @param epsilon ε, outside the root
     * @param stepSize the learning rate over the first moment's bias correction
     * @param rootScale 1 over the root of the second moment's bias correction
     * @param decay what decayed weights are multiplied by; 1 for nothing
     */
    record AdamWStep(
            double gradientScale,
            double beta1,
            double beta2,
            double epsilon,
            double stepSize,
            double rootScale,
            double decay) {}

    /**
     * Elements {@code from} (inclusive) to {@code to} (exclusive) of the flat buffers.
     *
     * @param from first element
     * @param to one after the last element
     */
    record DecayedRange(long from, long to) {}

    /**
     * The kernels for this type on the backend in use: {@link FusedKernels} for FLOAT on the CPU, otherwise {@link
     * Nd4jKernels}. The system property {@code rlhf4j.kernels} ({@code fused} or {@code nd4j}) decides otherwise.
     *
     * @throws IllegalArgumentException when the property has another value, or asks for fused kernels where they cannot
     *     work
     */
    static Kernels select(DataType dataType) {
        return KernelChoice.select(dataType);
    }

    /**
     * Where the token head puts what it computes.
     *
     * @param logProbs {@code [M]}, nats
     * @param entropies {@code [M]}, nats; or null when not wanted, which is cheaper
     * @param logNormalizers {@code log Z = log Σ_v e^(logit/τ)}, {@code [M]}; or null when not wanted
     * @param kl the KL to a reference; or null when not wanted, which is cheaper by that reference's logits
     */
    record TokenHeadOutput(
            double[] logProbs,
            double @Nullable [] entropies,
            double @Nullable [] logNormalizers,
            @Nullable TokenHeadKl kl) {

        public TokenHeadOutput(double[] logProbs, double @Nullable [] entropies) {
            this(logProbs, entropies, null, null);
        }

        /** How many of {@code rows} go through the head at a time, of a vocabulary of this size. */
        int rowsAtOnce(int rows, long vocabulary) {
            long logits = kl == null ? LOGITS_AT_ONCE : LOGITS_AT_ONCE / 2;
            return (int) Math.max(1, Math.min(rows, logits / vocabulary));
        }
    }

    /**
     * The KL from each row's distribution p to that of a reference, {@code q = softmax(hidden · tableᵀ / τ)} at the same τ:
     * {@code Σ_v p_v·(log p_v − log q_v)}.
     *
     * @param hidden the reference's, {@code [M, C']}
     * @param table the reference's, {@code [V, C']} with the same V; neither has a gradient
     * @param values receives the KL of each row, nats, {@code [M]}; ≥ 0 up to rounding
     */
    record TokenHeadKl(INDArray hidden, INDArray table, double[] values) {}

    /**
     * The backward part of the token head: {@code dlogits = g·(1{target} − p) − h·p∘(log p + H) + 2z·log Z·p + k·p∘(log p − log
     * q − KL)}, of logits over τ.
     *
     * @param dLogProbs g, {@code [M]}
     * @param dEntropies h, {@code [M]}; or null for zeros
     * @param zLosses z, {@code [M]}: what log² Z of each row counts in the loss (Chowdhery et al. 2022 §5); or null for zeros
     * @param dKls k, {@code [M]}; or null for zeros, as it must be where no KL is wanted
     * @param dHidden {@code [M, C]}, overwritten
     * @param dTable {@code [V, C]}, added to; or null when the table is not trained
     */
    record TokenHeadGradient(
            double[] dLogProbs,
            double @Nullable [] dEntropies,
            double @Nullable [] zLosses,
            double @Nullable [] dKls,
            INDArray dHidden,
            @Nullable INDArray dTable) {

        public TokenHeadGradient(
                double[] dLogProbs, double @Nullable [] dEntropies, INDArray dHidden, @Nullable INDArray dTable) {
            this(dLogProbs, dEntropies, null, null, dHidden, dTable);
        }
    }
}
