package io.github.rlhf4j.testkit;

import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.core.random.RandomKey;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/** Rows of parameters by context, with their gradients and moments. A row that was never moved is not stored. */
final class StateTable {

    private static final String FILE_NAME = "table.bin";

    /** Parameters, gradient, and the optimiser's two moments of one context. */
    private record Row(double[] parameters, double[] gradient, double[] first, double[] second) {

        static Row of(double[] parameters) {
            int width = parameters.length;
            return new Row(parameters, new double[width], new double[width], new double[width]);
        }

        Row copy() {
            return new Row(parameters.clone(), gradient.clone(), first.clone(), second.clone());
        }
    }

    private final int width;
    private final TabularOptimizer optimizer;
    private final RandomKey initialKey;
    private final double initialScale;
    /** Sorted, so that sums over rows have one order. */
    private final TreeMap<TokenSequence, Row> rows = new TreeMap<>((a, b) -> Arrays.compare(a.toArray(), b.toArray()));

    private long steps;

    /** A table whose rows start as N(0, scale²), drawn by context; at scale 0 as zeros. */
    StateTable(int width, TabularOptimizer optimizer, RandomKey initialKey, double initialScale) {
        this.width = width;
        this.optimizer = optimizer;
        this.initialKey = initialKey;
        this.initialScale = initialScale;
    }

    StateTable copy() {
        StateTable copy = new StateTable(width, optimizer, initialKey, initialScale);
        rows.forEach((context, row) -> copy.rows.put(context, row.copy()));
        copy.steps = steps;
        return copy;
    }

    /** The parameters at a context, not to be changed. */
    double[] parameters(TokenSequence context) {
        Row row = rows.get(context);
        return row == null ? initial(context) : row.parameters;
    }

    void setParameters(TokenSequence context, double[] parameters) {
        System.arraycopy(parameters, 0, stored(context).parameters, 0, parameters.length);
    }

    /** The gradient at a context, to be added to. */
    double[] gradient(TokenSequence context) {
        return stored(context).gradient;
    }

    private Row stored(TokenSequence context) {
        return rows.computeIfAbsent(context, c -> Row.of(initial(c)));
    }

    private double[] initial(TokenSequence context) {
        RandomKey key = initialKey;
        for (int id : context.toArray()) {
            key = key.child(id);
        }
        double[] parameters = new double[width];
        for (int j = 0; j < width; j++) {
            parameters[j] = initialScale == 0
                    ? 0
                    : initialScale * key.child("column").child(j).gaussian();
        }
        return parameters;
    }

    /** As {@code TrainablePolicy.update}; nothing is clipped. */
    UpdateReport update(double rate) {
        double squares = 0;
        for (Row row : rows.values()) {
            for (double g : row.gradient) {
                squares += g * g;
            }
        }
        if (!Double.isFinite(squares)) {
            throw new DivergenceException("the gradient of the table is not finite; its squared norm is " + squares);
        }
        steps++;
        for (Row row : rows.values()) {
            optimizer.move(row.parameters, row.gradient, row.first, row.second, steps, rate);
            Arrays.fill(row.gradient, 0);
        }
        return new UpdateReport(Math.sqrt(squares), false);
    }

    void save(Path directory) throws IOException {
        try (DataOutputStream out = new DataOutputStream(Files.newOutputStream(directory.resolve(FILE_NAME)))) {
            out.writeInt(width);
            out.writeLong(steps);
            out.writeInt(rows.size());
            for (Map.Entry<TokenSequence, Row> entry : rows.entrySet()) {
                write(out, entry.getKey(), entry.getValue());
            }
        }
    }

    void restore(Path directory) throws IOException {
        Path file = directory.resolve(FILE_NAME);
        try (DataInputStream in = new DataInputStream(Files.newInputStream(file))) {
            int savedWidth = in.readInt();
            if (savedWidth != width) {
                throw new IOException(
                        file + " holds rows of " + savedWidth + " parameters; this model's have " + width);
            }
            long savedSteps = in.readLong();
            Map<TokenSequence, Row> read = new TreeMap<>(rows.comparator());
            for (int count = in.readInt(); count > 0; count--) {
                read(in, read);
            }
            rows.clear();
            rows.putAll(read);
            steps = savedSteps;
        }
    }

    private static void write(DataOutputStream out, TokenSequence context, Row row) throws IOException {
        out.writeInt(context.length());
        for (int id : context.toArray()) {
            out.writeInt(id);
        }
        for (double[] numbers : new double[][] {row.parameters, row.first, row.second}) {
            for (double number : numbers) {
                out.writeDouble(number);
            }
        }
    }

    private void read(DataInputStream in, Map<TokenSequence, Row> into) throws IOException {
        int[] ids = new int[in.readInt()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = in.readInt();
        }
        Row row = Row.of(new double[width]);
        for (double[] numbers : new double[][] {row.parameters, row.first, row.second}) {
            for (int j = 0; j < width; j++) {
                numbers[j] = in.readDouble();
            }
        }
        into.put(TokenSequence.of(ids), row);
    }
}
