package io.github.rlhf4j.transformer.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.bytedeco.javacpp.FloatPointer;
import org.junit.jupiter.api.Test;

class PanelProductTest {

    /** Sums of 600 products of numbers in [−1, 1] stay below 40, and each of the 600 roundings is at most 2⁻²⁴ of one. */
    private static final double TOLERANCE = 600 * 40 * 0x1p-24;

    private static PanelLoops loops() {
        assumeThat(PanelLoops.ACTIVE).as("needs the Vector API").isNotNull();
        return PanelLoops.ACTIVE;
    }

    /** A matrix of random numbers inside a wider one, and the same numbers as doubles, never transposed. */
    private record Case(StridedMatrix matrix, boolean transposed, double[][] numbers) {

        static Case of(int rows, int columns, boolean transposed, Random random) {
            int height = transposed ? columns : rows;
            int width = transposed ? rows : columns;
            int stride = width + random.nextInt(9);
            int offset = random.nextInt(5);
            float[] floats = new float[offset + height * stride];
            for (int i = 0; i < floats.length; i++) {
                floats[i] = 2 * random.nextFloat() - 1;
            }
            double[][] numbers = new double[rows][columns];
            for (int i = 0; i < rows; i++) {
                for (int j = 0; j < columns; j++) {
                    numbers[i][j] = floats[offset + (transposed ? j * stride + i : i * stride + j)];
                }
            }
            return new Case(new StridedMatrix(new FloatPointer(floats), offset, stride), transposed, numbers);
        }

        PanelProduct.Factor factor() {
            return new PanelProduct.Factor(matrix, transposed);
        }

        float[] row(int i, int columns) {
            float[] row = new float[columns];
            matrix.read(i, columns, row);
            return row;
        }
    }

    @Property(tries = 40)
    void isTheProduct(
            @ForAll @IntRange(min = 1, max = 300) int m,
            @ForAll @IntRange(min = 1, max = 600) int n,
            @ForAll @IntRange(min = 1, max = 600) int k,
            @ForAll boolean leftTransposed,
            @ForAll boolean rightTransposed,
            @ForAll boolean adds,
            @ForAll long seed) {
        Random random = new Random(seed);
        Case left = Case.of(m, k, leftTransposed, random);
        Case right = Case.of(k, n, rightTransposed, random);
        Case out = Case.of(m, n, false, random);
        float beta = adds ? 0.5f : 0;
        PanelProduct.multiply(loops(), out.matrix(), m, n, k, 2, left.factor(), right.factor(), beta);

        for (int i = 0; i < m; i++) {
            float[] row = out.row(i, n);
            for (int j = 0; j < n; j++) {
                double sum = 0;
                for (int p = 0; p < k; p++) {
                    sum += left.numbers()[i][p] * right.numbers()[p][j];
                }
                double expected = 2 * sum + beta * out.numbers()[i][j];
                assertThat(Math.abs(row[j] - expected))
                        .as("element %d, %d: %s instead of %s", i, j, row[j], expected)
                        .isLessThan(TOLERANCE);
            }
        }
    }

    @Property(tries = 20)
    void anElementHasTheSameBitsHoweverTheProductIsCut(
            @ForAll @IntRange(min = 8, max = 200) int m,
            @ForAll @IntRange(min = 50, max = 600) int n,
            @ForAll @IntRange(min = 1, max = 500) int k,
            @ForAll boolean leftTransposed,
            @ForAll boolean rightTransposed,
            @ForAll long seed) {
        Random random = new Random(seed);
        Case left = Case.of(m, k, leftTransposed, random);
        Case right = Case.of(k, n, rightTransposed, random);
        Case whole = Case.of(m, n, false, random);
        Case cut = Case.of(m, n, false, random);
        PanelProduct.multiply(loops(), whole.matrix(), m, n, k, 1, left.factor(), right.factor(), 0);
        int row = 1 + random.nextInt(m - 1);
        int column = 1 + random.nextInt(n - 1);
        part(cut, left, right, 0, row, 0, n, k);
        part(cut, left, right, row, m - row, 0, column, k);
        part(cut, left, right, row, m - row, column, n - column, k);

        for (int i = 0; i < m; i++) {
            assertThat(cut.row(i, n)).as("row %d", i).containsExactly(whole.row(i, n));
        }
    }

    private static void part(Case out, Case left, Case right, int row, int rows, int column, int columns, int k) {
        StridedMatrix a =
                left.transposed() ? left.matrix().from(0, row) : left.matrix().from(row, 0);
        StridedMatrix b = right.transposed()
                ? right.matrix().from(column, 0)
                : right.matrix().from(0, column);
        PanelProduct.multiply(
                loops(),
                out.matrix().from(row, column),
                rows,
                columns,
                k,
                1,
                new PanelProduct.Factor(a, left.transposed()),
                new PanelProduct.Factor(b, right.transposed()),
                0);
    }

    @Test
    void whatMultipliesIsChosenByVectorLengthAndByProperty() {
        assertThat(PanelProduct.choose("blas", PanelLoops.ACTIVE)).isNull();
        assertThat(PanelProduct.choose("panels", PanelLoops.ACTIVE)).isSameAs(PanelLoops.ACTIVE);
        assertThat(PanelProduct.choose(null, null)).isNull();
        assertThatThrownBy(() -> PanelProduct.choose("fast", null))
                .hasMessageContaining("panels or blas, got \"fast\"");
    }
}
