package io.github.rlhf4j.transformer.kernels;

import io.github.rlhf4j.core.random.RandomKey;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Rows that attend alone get what they get where all rows attend, and send back the same gradients. */
class TailAttentionTest {

    @Property(tries = 25)
    void fused(
            @ForAll long seed,
            @ForAll @IntRange(min = 1, max = 3) int groups,
            @ForAll @IntRange(min = 1, max = 3) int heads,
            @ForAll @IntRange(min = 1, max = 17) int headSize,
            @ForAll @Size(min = 1, max = 5) List<@IntRange(min = 1, max = 150) Integer> lengths) {
        tailsAgree(new FusedKernels(), seed, groups, heads, headSize, lengths);
    }

    @Property(tries = 25)
    void nd4j(
            @ForAll long seed,
            @ForAll @IntRange(min = 1, max = 3) int groups,
            @ForAll @IntRange(min = 1, max = 3) int heads,
            @ForAll @IntRange(min = 1, max = 17) int headSize,
            @ForAll @Size(min = 1, max = 5) List<@IntRange(min = 1, max = 70) Integer> lengths) {
        tailsAgree(new Nd4jKernels(), seed, groups, heads, headSize, lengths);
    }

    /** Queries are computed in blocks of 64; here the last row alone, one block to the row, and a row more. */
    @Example
    void fusedAtTheBordersOfBlocks() {
        AttentionCase all = AttentionCase.of(3, AttentionShape.multiHead(2, 5), 200, 130, 65);
        tailsAgree(new FusedKernels(), all, 199, 66, 0);
        tailsAgree(new FusedKernels(), all, 136, 65, 64);
    }

    private static void tailsAgree(
            Kernels kernels, long seed, int groups, int heads, int headSize, List<Integer> lengths) {
        AttentionCase all = AttentionCase.of(
                seed,
                new AttentionShape(groups * heads, heads, headSize),
                lengths.stream().mapToInt(i -> i).toArray());
        RandomKey key = RandomKey.of(seed).child("firsts");
        int[] firsts = new int[lengths.size()];
        Arrays.setAll(firsts, i -> key.child(i).below(lengths.get(i)));
        tailsAgree(kernels, all, firsts);
    }

    /** All rows attend in the reference, in double. */
    private static void tailsAgree(Kernels kernels, AttentionCase all, int... firsts) {
        AttentionCase tails = all.tails(firsts);
        double[] expected = rowsOf(tails, all.toDouble().expectedOut());
        double[] gradient = all.withGradientOf(tails).toDouble().expectedGradient();
        INDArray out = AttentionCase.unwritten(tails.dOut());
        INDArray dQkv = AttentionCase.unwritten(tails.qkv());
        try (Arena arena = new Arena(DataType.FLOAT)) {
            kernels.attention(tails.packed(), tails.shape(), tails.qkv(), out, arena);
            kernels.attentionBackward(tails.packed(), tails.shape(), tails.dOut(), tails.qkv(), dQkv, arena);
        }
        FusedAttentionTest.assertClose(out.data().asFloat(), expected);
        FusedAttentionTest.assertClose(dQkv.data().asFloat(), gradient);
    }

    private static double[] rowsOf(AttentionCase tails, double[] all) {
        int columns = (int) tails.dOut().size(1);
        int[] rows = tails.packed().rowsOfWhole();
        double[] read = new double[rows.length * columns];
        for (int i = 0; i < rows.length; i++) {
            System.arraycopy(all, rows[i] * columns, read, i * columns, columns);
        }
        return read;
    }
}
