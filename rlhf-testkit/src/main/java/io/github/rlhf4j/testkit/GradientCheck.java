package io.github.rlhf4j.testkit;

import java.util.Arrays;
import java.util.Locale;
import java.util.function.DoubleSupplier;
import java.util.function.ToDoubleFunction;

/**
 * Compares a closed-form gradient with the slope of its loss, coordinate by coordinate, and names the worst one.
 *
 * <p>The slope at x is the central difference D(h) = (f(x + h) − f(x − h))/2h with h = step·max(1, |x|). Where that is not
 * within the tolerance, its error of order h² is removed before anything is said (Richardson extrapolation: (4·D(h/2) −
 * D(h))/3). A gradient is right where |analytic − numeric| ≤ absolute + relative·|numeric| + what rounding of the loss itself
 * makes of a difference: 16 units in the last place of f, divided by h.
 *
 * <p>The loss must be a function, in double, that has a derivative within h of x: keep generated inputs away from the corners
 * of max, clip and hinge.
 *
 * @param step h at |x| ≤ 1, &gt; 0
 * @param relative largest relative error, ≥ 0
 * @param absolute largest error where the slope is 0, ≥ 0, in units of the gradient
 */
public record GradientCheck(double step, double relative, double absolute) {

    /** More than the error of a sum of some dozen terms. */
    private static final int ULPS = 16;

    /** Step 1e-4, relative 1e-6, absolute 1e-8: for a loss of ordinary size in double. */
    public static final GradientCheck STANDARD = new GradientCheck(1e-4, 1e-6, 1e-8);

    public GradientCheck {
        require(step > 0 && Double.isFinite(step), "step must be positive and finite, got " + step);
        require(relative >= 0, "the relative tolerance must be at least 0, got " + relative);
        require(absolute >= 0, "the absolute tolerance must be at least 0, got " + absolute);
    }

    private static void require(boolean condition, String otherwise) {
        if (!condition) {
            throw new IllegalArgumentException(otherwise);
        }
    }

    /** The same check with another step. */
    public GradientCheck withStep(double newStep) {
        return new GradientCheck(newStep, relative, absolute);
    }

    /** The same check with other tolerances. */
    public GradientCheck withTolerance(double newRelative, double newAbsolute) {
        return new GradientCheck(step, newRelative, newAbsolute);
    }

    /** The numbers a loss depends on, wherever they are stored: an array, the parameters of a model. */
    public interface Coordinates {

        int count();

        /** What a failure calls a coordinate. */
        String name(int index);

        double get(int index);

        void set(int index, double value);
    }

    /**
     * @param what the loss, for the failure's message
     * @param x where the gradient was taken; left as it is
     * @param loss a function of a vector as long as x, which it must not keep or change
     * @param gradient dLoss/dx at x, one entry per coordinate
     * @throws AssertionError naming the coordinate whose error is the largest multiple of what is allowed
     */
    public void check(String what, double[] x, ToDoubleFunction<double[]> loss, double[] gradient) {
        double[] moved = x.clone();
        check(what, new RowCoordinates(new double[][] {moved}, false), () -> loss.applyAsDouble(moved), gradient);
    }

    /** As for a vector, for a ragged batch: one row per sequence, one entry per token. */
    public void check(String what, double[][] x, ToDoubleFunction<double[][]> loss, double[][] gradient) {
        if (!Arrays.equals(lengths(x), lengths(gradient))) {
            throw new AssertionError(what + ": a gradient must have the shape of what it is taken by, rows of lengths "
                    + Arrays.toString(lengths(x)) + "; got " + Arrays.toString(lengths(gradient)));
        }
        double[][] moved = Arrays.stream(x).map(double[]::clone).toArray(double[][]::new);
        double[] flat = Arrays.stream(gradient).flatMapToDouble(Arrays::stream).toArray();
        check(what, new RowCoordinates(moved, true), () -> loss.applyAsDouble(moved), flat);
    }

    private static int[] lengths(double[][] rows) {
        return Arrays.stream(rows).mapToInt(row -> row.length).toArray();
    }

    /**
     * As for a vector, for numbers that are changed in place and put back.
     *
     * @param loss of what {@code at} holds when it is asked
     */
    public void check(String what, Coordinates at, DoubleSupplier loss, double[] gradient) {
        if (gradient.length != at.count()) {
            throw new AssertionError(what + ": a gradient must have one entry per coordinate, " + at.count() + "; got "
                    + gradient.length);
        }
        int worst = -1;
        int wrong = 0;
        double largest = 1;
        for (int i = 0; i < gradient.length; i++) {
            double excess = excess(gradient[i], difference(at, i, loss, 1));
            if (excess > 1) {
                excess = excess(gradient[i], slope(at, i, loss));
            }
            wrong += excess > 1 ? 1 : 0;
            if (excess > largest) {
                worst = i;
                largest = excess;
            }
        }
        if (wrong > 0) {
            throw new AssertionError(message(what, at, loss, gradient, worst, wrong));
        }
    }

    /** A difference's value and how far rounding may have moved it. */
    private record Slope(double value, double rounding) {}

    private double allowed(Slope numeric) {
        return absolute + relative * Math.abs(numeric.value) + numeric.rounding;
    }

    /** The error as a multiple of what is allowed; infinite where a number is not finite. */
    private double excess(double analytic, Slope numeric) {
        double error = Math.abs(analytic - numeric.value);
        if (!Double.isFinite(error)) {
            return Double.POSITIVE_INFINITY;
        }
        return error == 0 ? 0 : error / allowed(numeric);
    }

    /** D of a fraction of h. */
    private Slope difference(Coordinates at, int i, DoubleSupplier loss, double fraction) {
        double x = at.get(i);
        double h = fraction * step * Math.max(1, Math.abs(x));
        double above = x + h;
        double below = x - h;
        try {
            at.set(i, above);
            double lossAbove = loss.getAsDouble();
            at.set(i, below);
            double lossBelow = loss.getAsDouble();
            double rounding = ULPS * Math.ulp(Math.max(Math.abs(lossAbove), Math.abs(lossBelow))) / h;
            return new Slope((lossAbove - lossBelow) / (above - below), rounding);
        } finally {
            at.set(i, x);
        }
    }

    private Slope slope(Coordinates at, int i, DoubleSupplier loss) {
        Slope half = difference(at, i, loss, 0.5);
        return new Slope((4 * half.value - difference(at, i, loss, 1).value) / 3, half.rounding);
    }

    private String message(String what, Coordinates at, DoubleSupplier loss, double[] gradient, int worst, int wrong) {
        Slope numeric = slope(at, worst, loss);
        return String.format(
                Locale.ROOT,
                "%s: the gradient is not the slope of the loss at %d of %d coordinates. Worst is %s = %s: analytic %s, "
                        + "numeric %s, apart by %s where %s is allowed. Differences of one step and of half a step say "
                        + "%s and %s; where these disagree the loss has a corner or a jump there, and no gradient",
                what,
                wrong,
                gradient.length,
                at.name(worst),
                at.get(worst),
                gradient[worst],
                rounded(numeric.value),
                rounded(Math.abs(gradient[worst] - numeric.value)),
                rounded(allowed(numeric)),
                rounded(difference(at, worst, loss, 1).value),
                rounded(difference(at, worst, loss, 0.5).value));
    }

    /** To nine digits: differences have no more that mean something. */
    private static double rounded(double value) {
        return Double.isFinite(value) ? Double.parseDouble(String.format(Locale.ROOT, "%.8e", value)) : value;
    }

    /** The entries of rows, in order. */
    private record RowCoordinates(double[][] rows, boolean named) implements Coordinates {

        @Override
        public int count() {
            return Arrays.stream(rows).mapToInt(row -> row.length).sum();
        }

        @Override
        public String name(int index) {
            int row = row(index);
            int column = index - start(row);
            return named ? "x[" + row + "][" + column + "]" : "x[" + column + "]";
        }

        @Override
        public double get(int index) {
            int row = row(index);
            return rows[row][index - start(row)];
        }

        @Override
        public void set(int index, double value) {
            int row = row(index);
            rows[row][index - start(row)] = value;
        }

        private int row(int index) {
            int row = 0;
            for (int left = index; left >= rows[row].length; row++) {
                left -= rows[row].length;
            }
            return row;
        }

        private int start(int row) {
            return Arrays.stream(rows, 0, row).mapToInt(r -> r.length).sum();
        }
    }
}
