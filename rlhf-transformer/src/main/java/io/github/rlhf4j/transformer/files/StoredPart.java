package io.github.rlhf4j.transformer.files;

import io.github.rlhf4j.transformer.model.Parameter;
import io.github.rlhf4j.transformer.model.ParameterStore;
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * A tensor of a model file and the part of a parameter that it holds: columns {@code [from, from + count)} of a matrix, elements
 * of a vector.
 *
 * @param name in the file
 * @param parameter the parameter's name in the {@link ParameterStore}
 * @param transposed whether the file has a row for each column, as linear layers of PyTorch have
 * @param from the first column
 * @param count columns, or {@link #ALL}
 * @param pairedHead D where the file's rotary positions turn the neighbours 2i and 2i + 1 of a head, ours i and i + D/2; 0 where
 *     both agree or nothing is turned
 * @param shift what the file's numbers lack: 1 for the gains of Gemma, which are stored less 1
 */
record StoredPart(
        String name, String parameter, boolean transposed, int from, int count, int pairedHead, double shift) {

    /** All columns there are. */
    static final int ALL = -1;

    /** As the parameter is. */
    static StoredPart asItIs(String name, String parameter) {
        return new StoredPart(name, parameter, false, 0, ALL, 0, 0);
    }

    /** The transpose of all of a matrix. */
    static StoredPart transposed(String name, String parameter) {
        return columns(name, parameter, 0, ALL, 0);
    }

    /** The transpose of some columns of a matrix. */
    static StoredPart columns(String name, String parameter, int from, int count, int pairedHead) {
        return new StoredPart(name, parameter, true, from, count, pairedHead, 0);
    }

    /** Elements of a vector. */
    static StoredPart elements(String name, String parameter, int from, int count, int pairedHead) {
        return new StoredPart(name, parameter, false, from, count, pairedHead, 0);
    }

    StoredPart shiftedBy(double missing) {
        return new StoredPart(name, parameter, transposed, from, count, pairedHead, missing);
    }

    StoredPart named(String other) {
        return new StoredPart(other, parameter, transposed, from, count, pairedHead, shift);
    }

    /** The shape in the file, of that of the parameter. */
    long[] shape(long[] parameterShape) {
        long columns = count == ALL ? parameterShape[parameterShape.length - 1] : count;
        if (parameterShape.length == 1) {
            return new long[] {columns};
        }
        return transposed ? new long[] {columns, parameterShape[0]} : new long[] {parameterShape[0], columns};
    }

    /** Whether the file has the numbers as the parameter has them. */
    boolean isCopy() {
        return !transposed && count == ALL && pairedHead == 0 && shift == 0;
    }

    /** The numbers as the file has them; a flat view of the parameter where they are the same. */
    FlatTensor toStored(ParameterStore store, Parameter target) {
        long[] shape = shape(target.shape());
        if (isCopy()) {
            return new FlatTensor(name, shape, store.values(), target.offset());
        }
        INDArray own = part(target);
        INDArray stored = (transposed ? own.transpose() : own).dup('c');
        if (pairedHead > 0) {
            long rest = stored.length() / shape[0];
            stored = stored.reshape('c', shape[0] / pairedHead, 2, pairedHead / 2, rest)
                    .permute(0, 2, 1, 3)
                    .dup('c');
        }
        if (shift != 0) {
            stored.subi(shift);
        }
        return new FlatTensor(name, shape, stored.reshape(stored.length()), 0);
    }

    /** Sets the part of the parameter. {@code numbers} are all of the file's, flat; they may be changed. */
    void fromStored(INDArray numbers, Parameter target) {
        long[] shape = shape(target.shape());
        INDArray stored = numbers;
        if (pairedHead > 0) {
            long rest = stored.length() / shape[0];
            stored = stored.reshape('c', shape[0] / pairedHead, pairedHead / 2, 2, rest)
                    .permute(0, 2, 1, 3)
                    .dup('c');
        }
        if (shift != 0) {
            stored.addi(shift);
        }
        INDArray shaped = stored.reshape('c', shape);
        part(target).assign(transposed ? shaped.transpose() : shaped);
    }

    private INDArray part(Parameter target) {
        INDArray value = target.value();
        if (count == ALL) {
            return value;
        }
        return value.rank() == 1
                ? value.get(NDArrayIndex.interval(from, from + count))
                : value.get(NDArrayIndex.all(), NDArrayIndex.interval(from, from + count));
    }

    @Override
    public String toString() {
        return name + " (" + parameter + (transposed ? ", transposed" : "") + ", from " + from + ", "
                + Arrays.toString(new int[] {count, pairedHead}) + ")";
    }
}
