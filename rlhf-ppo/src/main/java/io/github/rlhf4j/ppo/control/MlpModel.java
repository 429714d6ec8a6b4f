package io.github.rlhf4j.ppo.control;

import io.github.rlhf4j.core.Checkpointable;
import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.UpdateReport;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * A network that is moved by Adam (Kingma and Ba 2015), bias-corrected, β₁ 0.9, β₂ 0.999, ε 1e-5 outside the root (Huang
 * et al. 2022, detail 3), after its gradient was clipped to a global norm.
 */
final class MlpModel implements Checkpointable {

    private static final String FILE_NAME = "parameters.bin";
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.999;
    private static final double EPSILON = 1e-5;

    private final Mlp mlp;
    private final double gradientLimit;
    private final double[][] first;
    private final double[][] second;
    private long updates;

    /**
     * A model of a network, whose parameters it moves.
     *
     * @param gradientLimit largest L2 norm of a gradient that is not scaled down
     */
    MlpModel(Mlp mlp, double gradientLimit) {
        this.mlp = mlp;
        this.gradientLimit = gradientLimit;
        this.first = zerosLike(mlp.parameters());
        this.second = zerosLike(mlp.parameters());
    }

    Mlp mlp() {
        return mlp;
    }

    /** Moves the parameters along the gradients that backward passes added up, and clears those. */
    UpdateReport update(double rate) {
        double[][] gradients = mlp.gradients();
        double norm = Math.sqrt(squares(gradients));
        if (!Double.isFinite(norm)) {
            throw new DivergenceException("the gradient of the network has the norm " + norm
                    + ": the run has diverged. Lower the learning rate, or scale rewards and observations");
        }
        double scale = norm > gradientLimit ? gradientLimit / norm : 1;
        updates++;
        double[][] parameters = mlp.parameters();
        for (int i = 0; i < parameters.length; i++) {
            move(parameters[i], gradients[i], scale, first[i], second[i], rate);
        }
        mlp.clearGradients();
        return new UpdateReport(norm, scale < 1);
    }

    private void move(double[] parameters, double[] gradient, double scale, double[] m, double[] v, double rate) {
        double correction1 = 1 - Math.pow(BETA1, updates);
        double correction2 = 1 - Math.pow(BETA2, updates);
        for (int j = 0; j < parameters.length; j++) {
            double g = scale * gradient[j];
            m[j] = BETA1 * m[j] + (1 - BETA1) * g;
            v[j] = BETA2 * v[j] + (1 - BETA2) * g * g;
            parameters[j] -= rate * (m[j] / correction1) / (Math.sqrt(v[j] / correction2) + EPSILON);
        }
    }

    private static double squares(double[][] rows) {
        return Arrays.stream(rows)
                .flatMapToDouble(Arrays::stream)
                .map(g -> g * g)
                .sum();
    }

    private static double[][] zerosLike(double[][] rows) {
        return Arrays.stream(rows).map(row -> new double[row.length]).toArray(double[][]::new);
    }

    @Override
    public void saveState(Path directory) throws IOException {
        try (DataOutputStream out = new DataOutputStream(Files.newOutputStream(directory.resolve(FILE_NAME)))) {
            out.writeLong(updates);
            write(out, mlp.parameters());
            write(out, first);
            write(out, second);
        }
    }

    private static void write(DataOutputStream out, double[][] rows) throws IOException {
        for (double[] row : rows) {
            for (double number : row) {
                out.writeDouble(number);
            }
        }
    }

    @Override
    public void restoreState(Path directory) throws IOException {
        Path file = directory.resolve(FILE_NAME);
        double[][][] read = {zerosLike(first), zerosLike(first), zerosLike(first)};
        long savedUpdates;
        try (DataInputStream in = new DataInputStream(Files.newInputStream(file))) {
            savedUpdates = in.readLong();
            for (double[][] rows : read) {
                read(in, rows);
            }
            if (in.read() >= 0) {
                throw new IOException(file + " holds more numbers than this network has; it is of another network");
            }
        } catch (EOFException e) {
            throw new IOException(file + " holds fewer numbers than this network has; it is of another network", e);
        }
        updates = savedUpdates;
        copy(read[0], mlp.parameters());
        copy(read[1], first);
        copy(read[2], second);
    }

    private static void read(DataInputStream in, double[][] rows) throws IOException {
        for (double[] row : rows) {
            for (int j = 0; j < row.length; j++) {
                row[j] = in.readDouble();
            }
        }
    }

    private static void copy(double[][] from, double[][] to) {
        for (int i = 0; i < from.length; i++) {
            System.arraycopy(from[i], 0, to[i], 0, from[i].length);
        }
    }
}
