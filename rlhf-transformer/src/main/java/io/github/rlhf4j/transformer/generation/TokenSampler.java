package io.github.rlhf4j.transformer.generation;

import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.kernels.LogSumExp;
import java.util.Arrays;
import java.util.BitSet;

/**
 * Draws the next token from a row of logits, as a {@link Sampling} asks. The order of operations is Hugging Face's:
 * repetition penalty, temperature, top-k, top-p, draw. Ties go to the lowest id, so that top-k keeps exactly k tokens.
 *
 * <p>A model may have more logits than its tokenizer has tokens: Hugging Face pads embedding tables (GPT-2's 50,257 rows to
 * 50,304). Ids that no tokenizer knows are never drawn. As with truncation, the draw is from what is left, renormalised,
 * and the reported log-probability is of the policy's full distribution, padding included, which is what scoring gives; the
 * two agree whatever probability m the padding has. Draws are then more likely than reported, by −log(1 − m) nats.
 *
 * <p>The exact path (no truncation, no penalty) is two passes over the row and sorts nothing. Safe for use from several
 * threads.
 */
public final class TokenSampler {

    /**
     * A token and what the policy thought of it.
     *
     * @param token its id
     * @param logProb log π(token), nats, under the exact policy at the sampling temperature (at temperature 0: at
     *     temperature 1), over all logits; penalty, truncation and undrawable ids do not enter
     */
    public record Draw(int token, double logProb) {}

    private static final BitSet NOTHING = new BitSet(0);

    private final Sampling sampling;
    private final int tokens;

    /** Work rows, one per thread: a draw allocates nothing of size V. */
    private final ThreadLocal<double[]> work = ThreadLocal.withInitial(() -> new double[0]);

    /** A sampler that may draw every id there is a logit for. */
    public TokenSampler(Sampling sampling) {
        this(sampling, Integer.MAX_VALUE);
    }

    /**
     * A sampler for a model with a tokenizer.
     *
     * @param tokens the tokenizer's number of ids, ≥ 1; logits from this index on are padding and never drawn
     */
    public TokenSampler(Sampling sampling, int tokens) {
        if (tokens < 1) {
            throw new IllegalArgumentException("a sampler needs at least one token to draw, got " + tokens);
        }
        this.sampling = sampling;
        this.tokens = tokens;
    }

    /** Whether {@link #draw} looks at the tokens seen so far. */
    public boolean penalizesRepetition() {
        return sampling.repetitionPenalty() != 1.0;
    }

    /** A draw with no token seen before; see {@link #draw(float[], BitSet, RandomKey)}. */
    public Draw draw(float[] logits, RandomKey key) {
        return draw(logits, NOTHING, key);
    }

    /**
     * Draws a token by inverting the cumulative distribution at {@code key.uniform()}.
     *
     * @param logits {@code [V]}, V ≥ 1, finite; not changed
     * @param seen the ids of prompt and response so far; read only when {@link #penalizesRepetition()}
     * @param key the draw's own key, a function of seed, sequence and token index
     * @throws DivergenceException naming the first logit that is not finite
     */
    public Draw draw(float[] logits, BitSet seen, RandomKey key) {
        float max = checkedMax(logits);
        int size = Math.min(tokens, logits.length);
        double temperature = sampling.temperature();
        if (temperature == 0) {
            int token = penalizesRepetition() ? argmax(penalized(logits, size, seen), size) : argmax(logits, size);
            return new Draw(token, logits[token] - LogSumExp.of(logits, max, 1.0));
        }
        if (!sampling.isExact()) {
            int token = drawTruncated(logits, size, seen, key);
            return new Draw(token, logits[token] / temperature - LogSumExp.of(logits, max, temperature));
        }
        if (size == logits.length) {
            return drawExactly(logits, size, max, key);
        }
        int token = drawExactly(logits, size, logits[argmax(logits, size)], key).token();
        return new Draw(token, logits[token] / temperature - LogSumExp.of(logits, max, temperature));
    }

    /** A draw from the first {@code size} ids, {@code max} the largest of their logits, as if there were no others. */
    private Draw drawExactly(float[] logits, int size, float max, RandomKey key) {
        double temperature = sampling.temperature();
        double[] weights = workRow(size);
        double total = 0;
        for (int v = 0; v < size; v++) {
            double weight = Math.exp((logits[v] - (double) max) / temperature);
            weights[v] = weight;
            total += weight;
        }
        double target = key.uniform() * total;
        int token = 0;
        double below = weights[0];
        while (below <= target && token + 1 < size) {
            below += weights[++token];
        }
        token = lastPossible(weights, token);
        return new Draw(token, (logits[token] - (double) max) / temperature - Math.log(total));
    }

    /** Steps back over tokens of probability 0, which rounding may have brought the walk to. */
    private static int lastPossible(double[] weights, int token) {
        int possible = token;
        while (weights[possible] == 0) {
            possible--;
        }
        return possible;
    }

    /** A draw from the first {@code size} ids, of which truncation leaves some. */
    private int drawTruncated(float[] logits, int size, BitSet seen, RandomKey key) {
        double[] scaled = penalized(logits, size, seen);
        double max = scaled[argmax(scaled, size)];
        for (int v = 0; v < size; v++) {
            scaled[v] = Math.exp((scaled[v] - max) / sampling.temperature());
        }
        int[] kept = kept(scaled, size, sampling.topK(), sampling.topP());
        double total = 0;
        for (int token : kept) {
            total += scaled[token];
        }
        double target = key.uniform() * total;
        double below = 0;
        for (int token : kept) {
            below += scaled[token];
            if (below > target) {
                return token;
            }
        }
        return kept[0]; // rounding put the target on the total
    }

    /**
     * The tokens that top-k and then top-p keep, most likely first, or all of them in order of id where neither is asked
     * for. Top-p keeps the token that crosses p (Holtzman et al. 2020 as Hugging Face reads it); the mass is that of the
     * top k.
     */
    static int[] kept(double[] weights, int size, int topK, double topP) {
        if ((topK == 0 || topK >= size) && topP >= 1.0) {
            int[] all = new int[size];
            Arrays.setAll(all, v -> v);
            return all;
        }
        DescendingTokens order = new DescendingTokens(weights, size);
        int[] top = topK == 0 ? new int[0] : order.take(Math.min(topK, size));
        if (topP >= 1.0) {
            return top;
        }
        return topK == 0 ? order.takeMass(topP) : crossing(top, weights, topP);
    }

    private static int[] crossing(int[] descending, double[] weights, double topP) {
        double total = 0;
        for (int token : descending) {
            total += weights[token];
        }
        double mass = weights[descending[0]];
        int count = 1;
        while (count < descending.length && mass < topP * total) {
            mass += weights[descending[count++]];
        }
        return Arrays.copyOf(descending, count);
    }

    /** Logits with those of tokens seen before divided (positive) or multiplied (negative) by θ: Keskar et al. 2019, §4.1. */
    private double[] penalized(float[] logits, int size, BitSet seen) {
        double[] row = workRow(size);
        for (int v = 0; v < size; v++) {
            row[v] = logits[v];
        }
        double penalty = sampling.repetitionPenalty();
        if (penalty != 1.0) {
            for (int v = seen.nextSetBit(0); v >= 0 && v < size; v = seen.nextSetBit(v + 1)) {
                row[v] = row[v] > 0 ? row[v] / penalty : row[v] * penalty;
            }
        }
        return row;
    }

    private double[] workRow(int size) {
        double[] row = work.get();
        if (row.length < size) {
            row = new double[size];
            work.set(row);
        }
        return row;
    }

    private static float checkedMax(float[] logits) {
        float max = logits[0];
        for (int v = 0; v < logits.length; v++) {
            float logit = logits[v];
            if (!(Math.abs(logit) <= Float.MAX_VALUE)) {
                throw new DivergenceException("the logit of token " + v + " (vocabulary of " + logits.length + ") is "
                        + logit + "; logits must be finite. The model's parameters are broken: go back to the last"
                        + " checkpoint, and if it was being trained, lower the learning rate");
            }
            max = Math.max(max, logit);
        }
        return max;
    }

    private static int argmax(float[] row, int size) {
        int best = 0;
        for (int v = 1; v < size; v++) {
            if (row[v] > row[best]) {
                best = v;
            }
        }
        return best;
    }

    private static int argmax(double[] row, int size) {
        int best = 0;
        for (int v = 1; v < size; v++) {
            if (row[v] > row[best]) {
                best = v;
            }
        }
        return best;
    }
}
