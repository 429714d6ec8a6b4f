package io.github.rlhf4j.benchmarks.work;

import io.github.rlhf4j.transformer.backend.ComputeBackend;
import io.github.rlhf4j.transformer.kernels.Kernels;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Products of square float32 matrices the way the network computes them: the most this machine's BLAS gives us. */
final class GemmWork implements Work {

    private final Kernels kernels;
    private final INDArray left;
    private final INDArray right;
    private final INDArray product;

    GemmWork(Job job) {
        ComputeBackend.ensureSelected();
        kernels = Kernels.select(DataType.FLOAT);
        int size = job.size(Job.SIZE);
        left = Nd4j.create(DataType.FLOAT, size, size).assign(0.5);
        right = Nd4j.create(DataType.FLOAT, size, size).assign(0.25);
        product = Nd4j.create(DataType.FLOAT, size, size);
    }

    @Override
    public double check() {
        run(1);
        return product.getDouble(0, 0);
    }

    @Override
    public void run(int steps) {
        for (int i = 0; i < steps; i++) {
            kernels.multiplyByTransposed(left, right, product);
        }
    }
}
