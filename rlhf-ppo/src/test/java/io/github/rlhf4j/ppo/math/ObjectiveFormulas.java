package io.github.rlhf4j.ppo.math;

import java.util.Map;
import java.util.Set;
import org.apache.commons.math3.analysis.differentiation.DerivativeStructure;

/** Each objective's formula as its paper writes it, a second time, for exact forward differentiation. */
final class ObjectiveFormulas {

    private ObjectiveFormulas() {}

    /** Loss of one row of differentiable numbers, unweighted, from its rows of the two other matrices. */
    interface Formula {
        DerivativeStructure ofRow(DerivativeStructure[] x, double[] second, double[] third);

        /** Σ_i w_i·loss_i and its derivatives with respect to the first matrix. */
        default TokenLoss differentiate(double[][][] in, double[] rowWeights) {
            double loss = 0;
            double[][] gradient = Ragged.zerosLike(in[0]);
            for (int i = 0; i < in[0].length; i++) {
                int n = in[0][i].length;
                DerivativeStructure[] x = new DerivativeStructure[n];
                for (int t = 0; t < n; t++) {
                    x[t] = new DerivativeStructure(n, 1, t, in[0][i][t]);
                }
                DerivativeStructure row = ofRow(x, in[1][i], in[2][i]);
                loss += rowWeights[i] * row.getValue();
                for (int t = 0; t < n; t++) {
                    int[] order = new int[n];
                    order[t] = 1;
                    gradient[i][t] = rowWeights[i] * row.getPartialDerivative(order);
                }
            }
            return new TokenLoss(loss, gradient);
        }
    }

    /** Loss of one token. */
    private interface TokenFormula {
        DerivativeStructure of(DerivativeStructure x, double second, double third);
    }

    private static final Map<String, Map<String, Formula>> FORMULAS = Map.of(
            "ClippedPolicyLoss",
            Map.of(
                    "plain", tokens((x, old, a) -> surrogate(ratio(x, old), 0.8, 1.2, a)),
                    "asymmetric", tokens((x, old, a) -> surrogate(ratio(x, old), 0.8, 1.28, a)),
                    "dual",
                            tokens((x, old, a) -> a < 0
                                    ? smaller(
                                            surrogate(ratio(x, old), 0.8, 1.2, a),
                                            x.multiply(0).subtract(1.5 * a))
                                    : surrogate(ratio(x, old), 0.8, 1.2, a))),
            "GspoLoss",
            Map.of("sequence ratio", (x, old, a) -> {
                DerivativeStructure mean = x[0].multiply(0);
                for (int t = 0; t < x.length; t++) {
                    mean = mean.add(x[t].subtract(old[t]).divide(x.length));
                }
                DerivativeStructure loss = x[0].multiply(0);
                for (double advantage : a) {
                    loss = loss.add(surrogate(mean.exp(), 0.8, 1.28, advantage));
                }
                return loss;
            }),
            "CispoLoss",
            Map.of(
                    "both limits",
                            tokens((x, old, a) -> x.multiply(
                                    -a * clip(ratio(x, old), 0.8, 1.28).getValue())),
                    "upper limit",
                            tokens((x, old, a) -> x.multiply(-a
                                    * smaller(ratio(x, old), x.multiply(0).add(1.28))
                                            .getValue()))),
            "ReinforceLoss",
            Map.of("loss", tokens((x, old, a) -> x.multiply(-a))),
            "ClippedValueLoss",
            Map.of(
                    "clipped",
                            tokens((v, old, r) -> larger(
                                    half(v.subtract(r)),
                                    half(clip(v.subtract(old), -0.2, 0.2)
                                            .add(old)
                                            .subtract(r)))),
                    "unclipped", tokens((v, old, r) -> half(v.subtract(r)))),
            "EntropyBonus",
            Map.of("bonus", tokens((h, b, c) -> h.multiply(-0.3))),
            "LanguageModelLoss",
            Map.of("loss", tokens((x, b, c) -> x.negate())),
            "ExactKlPenalty",
            Map.of("KL", (logits, reference, c) -> {
                DerivativeStructure z = logits[0].multiply(0);
                double zReference = 0;
                for (int v = 0; v < logits.length; v++) {
                    z = z.add(logits[v].exp());
                    zReference += Math.exp(reference[v]);
                }
                DerivativeStructure kl = logits[0].multiply(0);
                for (int v = 0; v < logits.length; v++) {
                    DerivativeStructure p = logits[v].exp().divide(z);
                    kl = kl.add(p.multiply(
                            p.divide(Math.exp(reference[v]) / zReference).log()));
                }
                return kl;
            }),
            "Exact",
            Map.of("KL", tokens((kl, b, c) -> kl.multiply(0.3))),
            "Estimated",
            Map.of(
                    "K1", tokens((x, ref, c) -> x.subtract(ref)),
                    "K2", tokens((x, ref, c) -> half(x.subtract(ref))),
                    "K3",
                            tokens((x, ref, c) -> x.negate()
                                    .add(ref)
                                    .exp()
                                    .subtract(1)
                                    .subtract(x.negate().add(ref)))));

    static Formula of(String objective, String setting) {
        return FORMULAS.get(objective).get(setting);
    }

    static Set<String> settings(String objective) {
        return FORMULAS.get(objective).keySet();
    }

    private static Formula tokens(TokenFormula formula) {
        return (x, second, third) -> {
            DerivativeStructure sum = x[0].multiply(0);
            for (int t = 0; t < x.length; t++) {
                sum = sum.add(formula.of(x[t], second[t], third[t]));
            }
            return sum;
        };
    }

    private static DerivativeStructure ratio(DerivativeStructure logProb, double old) {
        return logProb.subtract(old).exp();
    }

    /** max(−A·ρ, −A·clip(ρ)). */
    private static DerivativeStructure surrogate(DerivativeStructure ratio, double low, double high, double advantage) {
        return larger(ratio.multiply(-advantage), clip(ratio, low, high).multiply(-advantage));
    }

    private static DerivativeStructure half(DerivativeStructure x) {
        return x.multiply(x).divide(2);
    }

    private static DerivativeStructure clip(DerivativeStructure x, double low, double high) {
        DerivativeStructure constant = x.multiply(0);
        return x.getValue() < low ? constant.add(low) : x.getValue() > high ? constant.add(high) : x;
    }

    private static DerivativeStructure larger(DerivativeStructure a, DerivativeStructure b) {
        return b.getValue() > a.getValue() ? b : a;
    }

    private static DerivativeStructure smaller(DerivativeStructure a, DerivativeStructure b) {
        return b.getValue() < a.getValue() ? b : a;
    }
}
