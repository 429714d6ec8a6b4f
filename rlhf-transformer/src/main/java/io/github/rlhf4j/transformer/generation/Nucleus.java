package io.github.rlhf4j.transformer.generation;

import java.util.Arrays;

/**
 * The fewest most likely tokens whose share of all weight reaches p, the one that crosses it included (Holtzman et al.
 * 2020, as Hugging Face reads it). Memory is kept from row to row.
 *
 * <p>Implementation note. Nothing is sorted but the few tokens near the edge. The mass of all tokens is added up by the
 * leading bits of their weights, which order positive floats, 128 classes for each power of two; the class that the mass
 * crosses p in is ordered and cut. Tokens below (1 − p)/V of all weight are not looked at: together they have less than 1 − p.
 */
final class Nucleus {

    private static final int SHIFT = 16;
    private static final int CLASSES = classOf(2);

    /** Under the least weight of a candidate, by more than rounding. */
    private static final double MARGIN = 0.999;

    private final double[] mass = new double[CLASSES];
    private int[] candidates = {};
    private int count;

    private static int classOf(float weight) {
        return Float.floatToRawIntBits(weight) >>> SHIFT;
    }

    /**
     * The tokens of the nucleus, in no order that means anything, but always the same one.
     *
     * @param p in (0, 1)
     */
    int[] of(TokenWeights weights, double p) {
        float least = (float) (MARGIN * (1 - p) * weights.total() / weights.size());
        collect(weights, least);
        addUp(weights);
        double reach = p * weights.total();
        double above = 0;
        int edge = CLASSES - 1;
        while (edge > 0 && above + mass[edge] < reach) {
            above += mass[edge--];
        }
        return cut(weights, edge, reach - above);
    }

    private void collect(TokenWeights weights, float least) {
        if (candidates.length < weights.size()) {
            candidates = new int[weights.size()];
        }
        count = 0;
        for (int v = 0; v < weights.size(); v++) {
            candidates[count] = v;
            count += weights.get(v) >= least ? 1 : 0;
        }
    }

    private void addUp(TokenWeights weights) {
        Arrays.fill(mass, 0);
        for (int i = 0; i < count; i++) {
            float weight = weights.get(candidates[i]);
            mass[classOf(weight)] += weight;
        }
    }

    /** Candidates above the edge's class, and of that class the largest until their mass is {@code missing}. */
    private int[] cut(TokenWeights weights, int edge, double missing) {
        int[] kept = new int[count];
        int[] atEdge = new int[count];
        int keptCount = 0;
        int edgeCount = 0;
        for (int i = 0; i < count; i++) {
            int itsClass = classOf(weights.get(candidates[i]));
            kept[keptCount] = candidates[i];
            keptCount += itsClass > edge ? 1 : 0;
            atEdge[edgeCount] = candidates[i];
            edgeCount += itsClass == edge ? 1 : 0;
        }
        DescendingTokens order = new DescendingTokens(weights.array(), atEdge, edgeCount);
        double mass = 0;
        for (int left = edgeCount; left > 0 && (mass < missing || keptCount == 0); left--) {
            int token = order.next();
            kept[keptCount++] = token;
            mass += weights.get(token);
        }
        return Arrays.copyOf(kept, keptCount);
    }
}
