package io.github.rlhf4j.transformer.generation;

import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.kernels.LogSumExp;
import io.github.rlhf4j.transformer.kernels.LogitRow;
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
 * <p>Passes over the row are vectors' work, in float, and nothing of size V is sorted; a probability is exact to about
 * 2⁻²² of itself. The draw is a function of logits and key alone. Safe for use from several threads.
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

    /** What a draw works on, kept from one to the next. */
    private static final class Work {
        final TokenWeights weights = new TokenWeights();
        final Nucleus nucleus = new Nucleus();
        float[] penalized = {};
    }

    private final ThreadLocal<Work> work = ThreadLocal.withInitial(Work::new);

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
        float[] row = penalizesRepetition() ? penalized(logits, size, seen) : logits;
        double temperature = sampling.temperature();
        if (temperature == 0) {
            int token = argmax(row, size);
            return new Draw(token, logits[token] - LogSumExp.of(logits, max, 1.0));
        }
        TokenWeights weights = work.get().weights;
        weights.fill(row, size, LogitRow.max(row, 0, size), temperature);
        int token = draw(row, weights, key.uniform());
        if (row == logits && size == logits.length) {
            return new Draw(token, (logits[token] - (double) max) / temperature - Math.log(weights.total()));
        }
        return new Draw(token, logits[token] / temperature - LogSumExp.of(logits, max, temperature));
    }

    /** The token at a place of the cumulative distribution over what truncation keeps. */
    private int draw(float[] row, TokenWeights weights, double place) {
        if (!truncates(weights.size())) {
            return weights.at(place);
        }
        int[] kept = kept(row, weights);
        double total = 0;
        for (int token : kept) {
            total += weights.get(token);
        }
        double target = place * total;
        double below = 0;
        for (int token : kept) {
            below += weights.get(token);
            if (below > target) {
                return token;
            }
        }
        return kept[0]; // rounding put the target on the total
    }

    private boolean truncates(int size) {
        return takesTopK(size) || sampling.topP() < 1;
    }

    private boolean takesTopK(int size) {
        return sampling.topK() > 0 && sampling.topK() < size;
    }

    /**
     * The tokens that top-k and then top-p keep. Top-p keeps the token that crosses p; the mass is that of the top k.
     *
     * @param row the logits that {@code weights} are of
     */
    int[] kept(float[] row, TokenWeights weights) {
        if (!takesTopK(weights.size())) {
            return work.get().nucleus.of(weights, sampling.topP());
        }
        int[] top = TopTokens.of(row, weights.size(), sampling.topK());
        return sampling.topP() < 1 ? crossing(top, weights, sampling.topP()) : top;
    }

    private static int[] crossing(int[] descending, TokenWeights weights, double topP) {
        double total = 0;
        for (int token : descending) {
            total += weights.get(token);
        }
        double mass = weights.get(descending[0]);
        int count = 1;
        while (count < descending.length && mass < topP * total) {
            mass += weights.get(descending[count++]);
        }
        return Arrays.copyOf(descending, count);
    }

    /** Logits with those of tokens seen before divided (positive) or multiplied (negative) by θ: Keskar et al. 2019, §4.1. */
    private float[] penalized(float[] logits, int size, BitSet seen) {
        Work own = work.get();
        if (own.penalized.length < size) {
            own.penalized = new float[size];
        }
        float[] row = own.penalized;
        System.arraycopy(logits, 0, row, 0, size);
        double penalty = sampling.repetitionPenalty();
        for (int v = seen.nextSetBit(0); v >= 0 && v < size; v = seen.nextSetBit(v + 1)) {
            double moved = row[v] > 0 ? row[v] / penalty : row[v] * penalty;
            row[v] = (float) Math.max(-Float.MAX_VALUE, Math.min(Float.MAX_VALUE, moved));
        }
        return row;
    }

    private static float checkedMax(float[] logits) {
        int bad = LogitRow.indexOfNotFinite(logits);
        if (bad >= 0) {
            throw new DivergenceException("the logit of token " + bad + " (vocabulary of " + logits.length + ") is "
                    + logits[bad] + "; logits must be finite. The model's parameters are broken: go back to the last"
                    + " checkpoint, and if it was being trained, lower the learning rate");
        }
        return LogitRow.max(logits, 0, logits.length);
    }

    /** The first of the largest. */
    private static int argmax(float[] row, int size) {
        int block = 0;
        float max = Float.NEGATIVE_INFINITY;
        for (int from = 0; from < size; from += LogitRow.BLOCK) {
            float ofBlock = LogitRow.max(row, from, Math.min(from + LogitRow.BLOCK, size));
            if (ofBlock > max) {
                max = ofBlock;
                block = from;
            }
        }
        int token = block;
        while (row[token] != max) {
            token++;
        }
        return token;
    }
}
