package io.github.rlhf4j.ppo.control;

import io.github.rlhf4j.core.random.RandomKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A multilayer perceptron in double, tanh between its layers, forward and backward by hand. B rows of a batch, I inputs and
 * O outputs of a layer.
 *
 * <p>Weights begin orthogonal, biases at 0 (Huang et al. 2022, "The 37 implementation details of proximal policy
 * optimization", details 2 and 11): gain √2 in hidden layers, the last one's is given.
 */
final class Mlp {

    /** Weight {@code [I][O]} and bias {@code [O]} of a layer with their gradients. */
    private record Layer(double[][] weight, double[] bias, double[][] dWeight, double[] dBias) {

        static Layer of(double[][] weight) {
            int outputs = weight[0].length;
            return new Layer(weight, new double[outputs], new double[weight.length][outputs], new double[outputs]);
        }
    }

    /**
     * A forward pass with what backward needs.
     *
     * @param inputs of each layer, {@code [layer][B][I]}
     * @param output {@code [B][O]}
     */
    record Pass(double[][][] inputs, double[][] output) {}

    private final List<Layer> layers;

    private Mlp(List<Layer> layers) {
        this.layers = layers;
    }

    /**
     * A network of these layer sizes, the input's first.
     *
     * @param outputGain standard scale of the last layer's weights
     */
    static Mlp orthogonal(RandomKey key, double outputGain, int... sizes) {
        List<Layer> layers = new ArrayList<>();
        for (int l = 0; l + 1 < sizes.length; l++) {
            boolean last = l + 2 == sizes.length;
            double gain = last ? outputGain : Math.sqrt(2);
            layers.add(Layer.of(OrthogonalMatrix.of(key.child(l), sizes[l], sizes[l + 1], gain)));
        }
        return new Mlp(layers);
    }

    /** The outputs, {@code [B][O]}, of a batch of inputs, {@code [B][I]}. */
    double[][] output(double[][] input) {
        return forward(input).output();
    }

    Pass forward(double[][] input) {
        double[][][] inputs = new double[layers.size()][][];
        double[][] x = input;
        for (int l = 0; l < layers.size(); l++) {
            inputs[l] = x;
            x = Matrices.product(x, layers.get(l).weight);
            Matrices.addToRows(x, layers.get(l).bias);
            if (l + 1 < layers.size()) {
                x = tanh(x);
            }
        }
        return new Pass(inputs, x);
    }

    /**
     * Adds the gradients of the parameters.
     *
     * @param dOutput dLoss/doutput, {@code [B][O]}
     */
    void backward(Pass pass, double[][] dOutput) {
        double[][] dX = dOutput;
        for (int l = layers.size() - 1; l >= 0; l--) {
            Layer layer = layers.get(l);
            double[][] input = pass.inputs[l];
            Matrices.addColumnSums(dX, layer.dBias); // x + bias
            Matrices.addProduct(Matrices.transpose(input), dX, layer.dWeight); // x·weight
            if (l > 0) {
                dX = tanhBackward(input, Matrices.product(dX, Matrices.transpose(layer.weight)));
            }
        }
    }

    private static double[][] tanh(double[][] x) {
        for (double[] row : x) {
            for (int j = 0; j < row.length; j++) {
                row[j] = Math.tanh(row[j]);
            }
        }
        return x;
    }

    /** d tanh(x)/dx = 1 − tanh(x)². */
    private static double[][] tanhBackward(double[][] y, double[][] dY) {
        for (int i = 0; i < dY.length; i++) {
            for (int j = 0; j < dY[i].length; j++) {
                dY[i][j] *= 1 - y[i][j] * y[i][j];
            }
        }
        return dY;
    }

    /** All parameters, themselves and not copies: rows of weights and the bias of each layer, in order. */
    double[][] parameters() {
        return layers.stream()
                .flatMap(layer -> Matrices.withRow(layer.weight, layer.bias))
                .toArray(double[][]::new);
    }

    /** The gradients, themselves and not copies, in the order of {@link #parameters}. */
    double[][] gradients() {
        return layers.stream()
                .flatMap(layer -> Matrices.withRow(layer.dWeight, layer.dBias))
                .toArray(double[][]::new);
    }

    void clearGradients() {
        for (double[] row : gradients()) {
            Arrays.fill(row, 0);
        }
    }
}
