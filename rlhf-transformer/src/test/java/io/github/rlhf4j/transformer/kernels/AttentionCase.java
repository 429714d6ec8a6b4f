package io.github.rlhf4j.transformer.kernels;

import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.random.RandomKey;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Sequences of given lengths with random queries, keys and values, and a random gradient from above. */
record AttentionCase(PackedTokens packed, AttentionShape shape, INDArray qkv, INDArray dOut) {

    static AttentionCase of(long seed, AttentionShape shape, int... lengths) {
        List<TokenSequence> sequences = Arrays.stream(lengths)
                .mapToObj(length -> TokenSequence.of(new int[length]))
                .toList();
        PackedTokens packed = PackedTokens.of(sequences, 1, Integer.MAX_VALUE);
        RandomKey key = RandomKey.of(seed);
        return new AttentionCase(
                packed,
                shape,
                gaussian(key.child("qkv"), packed.rows(), shape.rowWidth()),
                gaussian(key.child("dOut"), packed.rows(), shape.queryWidth()));
    }

    private static INDArray gaussian(RandomKey key, int rows, int columns) {
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) key.child(i).gaussian();
        }
        return Nd4j.createFromArray(values).reshape('c', rows, columns);
    }

    /** Sequence i alone, with the same numbers. */
    AttentionCase alone(int i) {
        long from = packed.start(i);
        long to = packed.start(i + 1);
        PackedTokens one = PackedTokens.of(List.of(TokenSequence.of(new int[packed.length(i)])), 1, Integer.MAX_VALUE);
        return new AttentionCase(
                one,
                shape,
                Rows.slice(qkv, from, to).dup('c'),
                Rows.slice(dOut, from, to).dup('c'));
    }

    /** The rows from these positions on, which alone attend, with their part of the gradient from above. */
    AttentionCase tails(int... firsts) {
        PackedTokens tails = packed.tails(firsts);
        int[] rows = tails.rowsOfWhole();
        return new AttentionCase(tails, shape, qkv, Nd4j.pullRows(dOut, 1, rows).dup('c'));
    }

    /** All rows attend, and nothing comes from above but to the rows of these tails. */
    AttentionCase withGradientOf(AttentionCase tails) {
        INDArray d = Nd4j.zerosLike(dOut);
        int[] rows = tails.packed().rowsOfWhole();
        for (int i = 0; i < rows.length; i++) {
            Rows.slice(d, rows[i], rows[i] + 1).assign(Rows.slice(tails.dOut(), i, i + 1));
        }
        return new AttentionCase(packed, shape, qkv, d);
    }

    AttentionCase toDouble() {
        return new AttentionCase(packed, shape, qkv.castTo(DataType.DOUBLE), dOut.castTo(DataType.DOUBLE));
    }

    float[] forward(FusedAttention attention) {
        INDArray out = unwritten(dOut);
        attention.forward(packed, shape, qkv, out);
        return out.data().asFloat();
    }

    float[] backward(FusedAttention attention) {
        INDArray dQkv = unwritten(qkv);
        attention.backward(packed, shape, dOut, qkv, dQkv);
        return dQkv.data().asFloat();
    }

    /** Forward by the reference. */
    double[] expectedOut() {
        INDArray out = unwritten(dOut);
        try (Arena arena = new Arena(out.dataType())) {
            new Nd4jKernels().attention(packed, shape, qkv, out, arena);
        }
        return out.data().asDouble();
    }

    /** Backward by the reference. */
    double[] expectedGradient() {
        INDArray dQkv = unwritten(qkv);
        try (Arena arena = new Arena(qkv.dataType())) {
            new Nd4jKernels().attentionBackward(packed, shape, dOut, qkv, dQkv, arena);
        }
        return dQkv.data().asDouble();
    }

    /** What is not overwritten shows. */
    static INDArray unwritten(INDArray like) {
        return Nd4j.valueArrayOf(like.shape(), Double.NaN, like.dataType());
    }
}
