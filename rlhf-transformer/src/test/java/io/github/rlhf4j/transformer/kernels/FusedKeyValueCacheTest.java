package io.github.rlhf4j.transformer.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

class FusedKeyValueCacheTest {

    /** Prefill of whole sequences, then the attention of each one's last row. */
    @Property(tries = 15)
    void isTheLastRowOfFullAttention(
            @ForAll long seed,
            @ForAll @IntRange(min = 1, max = 3) int groups,
            @ForAll @IntRange(min = 1, max = 4) int heads,
            @ForAll @IntRange(min = 1, max = 17) int headSize,
            @ForAll @Size(min = 1, max = 5) List<@IntRange(min = 1, max = 150) Integer> lengths) {
        AttentionCase c = AttentionCase.of(
                seed,
                new AttentionShape(groups * heads, heads, headSize),
                lengths.stream().mapToInt(i -> i).toArray());
        int b = lengths.size();
        int[] last = IntStream.range(0, b).map(i -> c.packed().start(i + 1) - 1).toArray();
        int[] positions = lengths.stream().mapToInt(i -> i - 1).toArray();
        double[] full = c.toDouble().expectedOut();
        double[] expected = Arrays.stream(last)
                .boxed()
                .flatMapToDouble(row -> Arrays.stream(
                        full,
                        row * c.shape().queryWidth(),
                        (row + 1) * c.shape().queryWidth()))
                .toArray();

        try (Arena arena = new Arena(DataType.FLOAT);
                KeyValueCache cache = new FusedKeyValueCache(c.shape())) {
            cache.append(c.qkv(), sequencesOf(c), c.packed().positions(), arena);
            int[] all = IntStream.range(0, b).toArray();
            FusedAttentionTest.assertClose(attend(cache, c, last, all, positions, arena), expected);
        }
    }

    /** Prefill, then rows one by one, in steps in which only some of the sequences take part. */
    @Example
    void isTheReferenceCacheWhileSequencesComeAndGo() {
        int[] lengths = {90, 75, 100, 68};
        int[] prompts = {30, 1, 60, 63};
        AttentionCase c = AttentionCase.of(3, new AttentionShape(6, 3, 7), lengths);
        int[] known = prompts.clone();
        try (Arena arena = new Arena(DataType.FLOAT);
                KeyValueCache fused = new FusedKeyValueCache(c.shape());
                KeyValueCache reference = new Nd4jKeyValueCache(c.shape(), DataType.FLOAT)) {
            for (int i = 0; i < 4; i++) {
                int first = c.packed().start(i);
                INDArray rows = Rows.slice(c.qkv(), first, first + prompts[i]).dup('c');
                int[] sequences = new int[prompts[i]];
                Arrays.fill(sequences, i);
                int[] positions = IntStream.range(0, prompts[i]).toArray();
                fused.append(rows, sequences, positions, arena);
                reference.append(rows, sequences, positions, arena);
            }
            int steps = 0;
            for (int step = 0; step < 160; step++) {
                int mask = 1 + step % 15;
                int[] sequences = IntStream.range(0, 4)
                        .filter(i -> (mask >> i & 1) == 1 && known[i] < lengths[i])
                        .toArray();
                if (sequences.length == 0) {
                    continue;
                }
                int[] positions = Arrays.stream(sequences).map(i -> known[i]++).toArray();
                int[] rows = IntStream.range(0, sequences.length)
                        .map(i -> c.packed().start(sequences[i]) + positions[i])
                        .toArray();
                INDArray qkv = gather(c, rows);
                fused.append(qkv, sequences, positions, arena);
                reference.append(qkv, sequences, positions, arena);
                FusedAttentionTest.assertClose(
                        attend(fused, c, rows, sequences, positions, arena),
                        toDouble(attend(reference, c, rows, sequences, positions, arena)));
                steps++;
            }
            assertThat(steps).isGreaterThan(60);
            assertThat(known).isEqualTo(lengths);
        }
    }

    @Example
    void aSequenceHasTheSameBitsWhateverItsBatchMatesAre() {
        AttentionCase all = AttentionCase.of(5, AttentionShape.multiHead(2, 5), 70, 9, 130);
        int[] last = {69, 78, 208};
        try (Arena arena = new Arena(DataType.FLOAT);
                KeyValueCache cache = new FusedKeyValueCache(all.shape())) {
            cache.append(all.qkv(), sequencesOf(all), all.packed().positions(), arena);
            float[] together = attend(cache, all, last, new int[] {0, 1, 2}, new int[] {69, 8, 129}, arena);
            for (int i = 0; i < 3; i++) {
                AttentionCase one = all.alone(i);
                int position = one.packed().rows() - 1;
                try (KeyValueCache own = new FusedKeyValueCache(all.shape())) {
                    own.append(one.qkv(), sequencesOf(one), one.packed().positions(), arena);
                    assertThat(attend(own, one, new int[] {position}, new int[] {0}, new int[] {position}, arena))
                            .isEqualTo(Arrays.copyOfRange(together, i * 10, (i + 1) * 10));
                }
            }
        }
    }

    /** Three sequences that begin alike, with and without a full block in common, then go on differently. */
    @Property(tries = 8)
    void aSharedBeginningIsNotChangedByWhatComesAfter(@ForAll @IntRange(min = 1, max = 140) int common) {
        AttentionCase c = AttentionCase.of(common, new AttentionShape(4, 2, 5), common + 9, common + 9, common + 9);
        try (Arena arena = new Arena(DataType.FLOAT);
                KeyValueCache fused = new FusedKeyValueCache(c.shape());
                KeyValueCache reference = new Nd4jKeyValueCache(c.shape(), DataType.FLOAT)) {
            for (KeyValueCache cache : new KeyValueCache[] {fused, reference}) {
                cache.append(
                        Rows.slice(c.qkv(), 0, common).dup('c'),
                        new int[common],
                        IntStream.range(0, common).toArray(),
                        arena);
                cache.share(0, common, 3);
                cache.share(3, common, 1);
            }
            int[] sequences = {0, 1, 3};
            for (int position = common; position < common + 9; position++) {
                int[] rows = {position, common + 9 + position, 2 * (common + 9) + position};
                int[] positions = {position, position, position};
                for (KeyValueCache cache : new KeyValueCache[] {fused, reference}) {
                    cache.append(gather(c, rows), sequences, positions, arena);
                }
                FusedAttentionTest.assertClose(
                        attend(fused, c, rows, sequences, positions, arena),
                        toDouble(attend(reference, c, rows, sequences, positions, arena)));
            }
            fused.release(0);
            reference.release(0);
            int[] rows = {0, 1};
            int[] last = {common + 8, common + 8};
            FusedAttentionTest.assertClose(
                    attend(fused, c, rows, new int[] {1, 3}, last, arena),
                    toDouble(attend(reference, c, rows, new int[] {1, 3}, last, arena)));
        }
    }

    private static int[] sequencesOf(AttentionCase c) {
        int[] sequences = new int[c.packed().rows()];
        for (int i = 0; i < c.packed().sequenceCount(); i++) {
            Arrays.fill(sequences, c.packed().start(i), c.packed().start(i + 1), i);
        }
        return sequences;
    }

    private static float[] attend(
            KeyValueCache cache, AttentionCase c, int[] rows, int[] sequences, int[] positions, Arena arena) {
        INDArray out = AttentionCase.unwritten(arena.take(rows.length, c.shape().queryWidth()));
        cache.attend(gather(c, rows), sequences, positions, out, arena);
        return out.data().asFloat();
    }

    private static INDArray gather(AttentionCase c, int[] rows) {
        INDArray gathered = org.nd4j.linalg.factory.Nd4j.create(
                DataType.FLOAT, rows.length, c.qkv().size(1));
        for (int i = 0; i < rows.length; i++) {
            gathered.putRow(i, c.qkv().getRow(rows[i]));
        }
        return gathered;
    }

    private static double[] toDouble(float[] values) {
        return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
    }
}
