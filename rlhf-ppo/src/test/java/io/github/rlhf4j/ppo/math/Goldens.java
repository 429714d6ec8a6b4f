package io.github.rlhf4j.ppo.math;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rlhf4j.core.test.SharedData;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.data.Offset;

/** Other people's numbers, rounded to six decimals. */
public final class Goldens {

    public static final Offset<Double> ROUNDING = Offset.offset(1.1e-6);

    private Goldens() {}

    /** One case; the calling test is skipped where the file is absent. */
    public static JsonNode of(String name) {
        try {
            JsonNode found = new ObjectMapper()
                    .readTree(SharedData.file("goldens/rl-math.json").toFile())
                    .get(name);
            if (found == null) {
                throw new IllegalArgumentException("there is no golden case " + name);
            }
            return found;
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    public static double[] row(JsonNode array) {
        double[] row = new double[array.size()];
        for (int i = 0; i < row.length; i++) {
            row[i] = array.get(i).doubleValue();
        }
        return row;
    }

    public static double[][] rows(JsonNode array) {
        double[][] rows = new double[array.size()][];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = row(array.get(i));
        }
        return rows;
    }

    /** One sequence. */
    public static double[][] one(JsonNode array) {
        return new double[][] {row(array)};
    }

    /** The entries where the mask is 1: what a ragged row holds of a padded one. */
    public static double[] unpad(double[] row, double[] mask) {
        List<Double> kept = new ArrayList<>();
        for (int t = 0; t < row.length; t++) {
            if (mask[t] == 1) {
                kept.add(row[t]);
            }
        }
        return kept.stream().mapToDouble(Double::doubleValue).toArray();
    }

    public static double[][] unpad(double[][] rows, double[][] mask) {
        double[][] kept = new double[rows.length][];
        for (int i = 0; i < rows.length; i++) {
            kept[i] = unpad(rows[i], mask[i]);
        }
        return kept;
    }
}
