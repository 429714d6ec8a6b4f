package io.github.rlhf4j.transformer;

import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.model.Parameter;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** One number per read row: {@code score [M] = hidden[rows] · weight ᵀ}, weight {@code [1, C]}. */
record ScalarHead(ModelCore core, Parameter weight) {

    /** Name of the weight, as in Hugging Face's sequence classifiers. */
    static final String NAME = "score.weight";

    static ScalarHead of(ModelCore core) {
        return new ScalarHead(core, core.store().get(NAME));
    }

    double[] forward(int[] rows, INDArray hidden, Arena arena) {
        if (rows.length == 0) {
            return new double[0];
        }
        Arena.Mark mark = arena.mark();
        INDArray scores = arena.take(rows.length, 1);
        Nd4j.gemm(read(rows, hidden, arena), weight.value(), scores, false, true, 1, 0);
        double[] flat;
        try (INDArray copy = scores.dup()) {
            flat = copy.data().asDouble();
        }
        arena.release(mark);
        return flat;
    }

    /** Adds the weight's gradient and that of the hidden states. */
    void backward(int[] rows, double[] dScores, INDArray hidden, INDArray dHidden, Arena arena) {
        if (rows.length == 0) {
            return;
        }
        Arena.Mark mark = arena.mark();
        INDArray d = arena.take(rows.length, 1);
        try (INDArray raw = Nd4j.createFromArray(dScores)) {
            d.assign(raw.reshape(dScores.length, 1));
        }
        Nd4j.gemm(d, read(rows, hidden, arena), weight.gradient(), true, false, 1, 1);
        INDArray dRead = arena.take(rows.length, core.config().width());
        Nd4j.gemm(d, weight.value(), dRead, false, false, 1, 0);
        core.kernels().scatterAddRows(dRead, rows, dHidden, arena);
        arena.release(mark);
    }

    private INDArray read(int[] rows, INDArray hidden, Arena arena) {
        INDArray read = arena.take(rows.length, core.config().width());
        core.kernels().gatherRows(hidden, rows, read);
        return read;
    }
}
