package io.github.rlhf4j.transformer.kernels;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Packed sequences laid into bins of one width S, the longest sequence's length: slots {@code [G, S]} for N rows. Short
 * sequences share a bin (first fit); a mask keeps a token from seeing another sequence or the future.
 */
final class Bins {

    private static final float MASKED = -1e9f;

    private final int width;
    private final int count;
    private final int[] slotOfRow;
    private final int[] rowOfSlot;
    private final boolean[] startsSequence;
    private final boolean shared;

    private Bins(int width, int count, int[] slotOfRow, int[] rowOfSlot, boolean[] startsSequence, boolean shared) {
        this.width = width;
        this.count = count;
        this.slotOfRow = slotOfRow;
        this.rowOfSlot = rowOfSlot;
        this.startsSequence = startsSequence;
        this.shared = shared;
    }

    static Bins of(PackedTokens packed) {
        int width = packed.longest();
        List<Integer> used = new ArrayList<>();
        int[] firstSlot = new int[packed.sequenceCount()];
        boolean shared = false;
        for (int i = 0; i < firstSlot.length; i++) {
            int bin = 0;
            while (bin < used.size() && used.get(bin) + packed.length(i) > width) {
                bin++;
            }
            if (bin == used.size()) {
                used.add(0);
            }
            shared |= used.get(bin) > 0;
            firstSlot[i] = bin * width + used.get(bin);
            used.set(bin, used.get(bin) + packed.length(i));
        }
        int[] slotOfRow = new int[packed.rows()];
        int[] rowOfSlot = new int[used.size() * width];
        boolean[] startsSequence = new boolean[rowOfSlot.length];
        Arrays.fill(rowOfSlot, -1);
        for (int i = 0; i < firstSlot.length; i++) {
            startsSequence[firstSlot[i]] = true;
            for (int t = 0; t < packed.length(i); t++) {
                slotOfRow[packed.start(i) + t] = firstSlot[i] + t;
                rowOfSlot[firstSlot[i] + t] = packed.start(i) + t;
            }
        }
        return new Bins(width, used.size(), slotOfRow, rowOfSlot, startsSequence, shared);
    }

    /** S. */
    int width() {
        return width;
    }

    /** G. */
    int count() {
        return count;
    }

    /** Whether slots and rows are the same, in the same order. */
    boolean isIdentity() {
        for (int row = 0; row < rowOfSlot.length; row++) {
            if (rowOfSlot[row] != row) {
                return false;
            }
        }
        return true;
    }

    /** Slot of each row, {@code [N]}. */
    int[] slotOfRow() {
        return slotOfRow;
    }

    /** Row of each slot of the bins {@code [from, to)}; row 0 for a slot that is empty. */
    int[] rowsOf(int from, int to) {
        int[] rows = Arrays.copyOfRange(rowOfSlot, from * width, to * width);
        for (int i = 0; i < rows.length; i++) {
            rows[i] = Math.max(0, rows[i]);
        }
        return rows;
    }

    /** 1 for each slot of the bins {@code [from, to)} that holds a row, 0 for an empty one. */
    double[] occupied(int from, int to) {
        double[] occupied = new double[(to - from) * width];
        for (int i = 0; i < occupied.length; i++) {
            occupied[i] = rowOfSlot[from * width + i] >= 0 ? 1 : 0;
        }
        return occupied;
    }

    /**
     * What is added to the attention scores of the bins {@code [from, to)}: 0 where slot t may look at slot u, a large
     * negative number elsewhere; {@code [g, S, S]}, or {@code [1, S, S]} where one mask serves all bins.
     */
    float[] mask(int from, int to) {
        int masks = shared ? to - from : 1;
        float[] mask = new float[masks * width * width];
        Arrays.fill(mask, MASKED);
        for (int bin = 0; bin < masks; bin++) {
            int start = 0;
            for (int t = 0; t < width; t++) {
                if (shared && startsSequence[(from + bin) * width + t]) {
                    start = t;
                }
                int row = (bin * width + t) * width;
                Arrays.fill(mask, row + start, row + t + 1, 0f);
            }
        }
        return mask;
    }
}
