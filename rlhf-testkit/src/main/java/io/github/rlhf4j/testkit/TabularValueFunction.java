package io.github.rlhf4j.testkit;

import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TrainableValueFunction;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.core.ValuePass;
import io.github.rlhf4j.core.random.RandomKey;
import java.io.IOException;
import java.nio.file.Path;

/** A value function that is a table: one number per context, exact in double, 0 at the start. */
public final class TabularValueFunction implements TrainableValueFunction {

    private final StateTable table;
    private final TabularContext context;

    public TabularValueFunction(TabularContext context, TabularOptimizer optimizer) {
        this(context, new StateTable(1, optimizer, RandomKey.of(0), 0));
    }

    private TabularValueFunction(TabularContext context, StateTable table) {
        this.context = context;
        this.table = table;
    }

    /** An independent value function of the same bits. */
    public TabularValueFunction copy() {
        return new TabularValueFunction(context, table.copy());
    }

    @Override
    public double[][] values(SequenceBatch batch) {
        return read(table, context, 0, batch);
    }

    @Override
    public ValuePass forward(SequenceBatch batch) {
        double[][] values = values(batch);
        return new ValuePass() {
            private boolean spent;

            @Override
            public double[][] values() {
                return values;
            }

            @Override
            public void backward(double[][] dValues) {
                if (spent) {
                    throw new IllegalStateException("a pass goes backward once, and not after it was closed");
                }
                spent = true;
                addGradients(table, context, 0, batch, dValues);
            }

            @Override
            public void close() {
                spent = true;
            }
        };
    }

    /** The numbers in a column of a table at each scored token's context. */
    static double[][] read(StateTable table, TabularContext context, int column, SequenceBatch batch) {
        double[][] values = new double[batch.size()][];
        for (int i = 0; i < values.length; i++) {
            ScoredSequence sequence = batch.sequences().get(i);
            values[i] = new double[sequence.scoredCount()];
            for (int t = 0; t < values[i].length; t++) {
                values[i][t] = table.parameters(context.key(sequence.tokens(), sequence.position(t)))[column];
            }
        }
        return values;
    }

    static void addGradients(
            StateTable table, TabularContext context, int column, SequenceBatch batch, double[][] dValues) {
        batch.checkShape("dValues", dValues);
        for (int i = 0; i < dValues.length; i++) {
            ScoredSequence sequence = batch.sequences().get(i);
            for (int t = 0; t < dValues[i].length; t++) {
                table.gradient(context.key(sequence.tokens(), sequence.position(t)))[column] += dValues[i][t];
            }
        }
    }

    @Override
    public UpdateReport update(double learningRate) {
        return table.update(learningRate);
    }

    @Override
    public void saveState(Path directory) throws IOException {
        table.save(directory);
    }

    @Override
    public void restoreState(Path directory) throws IOException {
        table.restore(directory);
    }
}
