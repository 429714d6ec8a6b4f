package io.github.rlhf4j.ppo.preference.math;

import java.util.Arrays;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

/** Log-probs of the tokens of one pair, and the reference's of the two responses. */
record PreferenceCase(double[] chosen, double[] rejected, double chosenReference, double rejectedReference) {

    static Arbitrary<PreferenceCase> any() {
        Arbitrary<double[]> response = Arbitraries.doubles()
                .between(-3, -0.01)
                .array(double[].class)
                .ofMinSize(1)
                .ofMaxSize(5);
        Arbitrary<Double> reference = Arbitraries.doubles().between(-9, -0.01);
        return Combinators.combine(response, response, reference, reference).as(PreferenceCase::new);
    }

    PairBatch batch() {
        return new PairBatch(
                new double[][] {chosen}, new double[][] {rejected}, new double[] {chosenReference}, new double[] {
                    rejectedReference
                });
    }

    Pair pair() {
        return batch().pair(0);
    }

    /** All log-probs one after the other, chosen first. */
    double[] flat() {
        double[] flat = Arrays.copyOf(chosen, chosen.length + rejected.length);
        System.arraycopy(rejected, 0, flat, chosen.length, rejected.length);
        return flat;
    }

    /** The same case with other log-probs. */
    PreferenceCase with(double[] flat) {
        return new PreferenceCase(
                Arrays.copyOf(flat, chosen.length),
                Arrays.copyOfRange(flat, chosen.length, flat.length),
                chosenReference,
                rejectedReference);
    }

    @Override
    public String toString() {
        return "chosen " + Arrays.toString(chosen) + " under a reference of " + chosenReference + ", rejected "
                + Arrays.toString(rejected) + " under " + rejectedReference;
    }
}
