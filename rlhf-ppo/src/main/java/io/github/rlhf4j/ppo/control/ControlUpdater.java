package io.github.rlhf4j.ppo.control;

import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.ppo.math.Aggregation;
import io.github.rlhf4j.ppo.math.ClippedValueLoss;
import io.github.rlhf4j.ppo.math.EntropyBonus;
import io.github.rlhf4j.ppo.math.PolicyLossResult;
import io.github.rlhf4j.ppo.math.TokenLoss;
import java.util.Arrays;

/** The inner loop: K epochs over a rollout, minibatch by minibatch, with the losses that language is trained with. */
final class ControlUpdater {

    private final ControlConfig config;
    private final MlpModel policyModel;
    private final MlpModel valueModel;
    private final ControlPolicy policy;
    private final RandomKey minibatchKey;
    private final double[] rowWeights;

    ControlUpdater(ControlConfig config, MlpModel policyModel, MlpModel valueModel, RandomKey minibatchKey) {
        this.config = config;
        this.policyModel = policyModel;
        this.valueModel = valueModel;
        this.policy = new ControlPolicy(policyModel.mlp());
        this.minibatchKey = minibatchKey;
        this.rowWeights = Aggregation.TOKEN_MEAN.rowWeights(new int[] {config.minibatch()}, config.minibatch());
    }

    ControlTally optimise(ControlExperience experience, long iteration) {
        ControlTally tally = new ControlTally();
        double rate = config.rate().at(iteration);
        for (int epoch = 0; epoch < config.epochs(); epoch++) {
            int[] order = minibatchKey.child(iteration).child(epoch).permutation(experience.size());
            for (int from = 0; from < order.length; from += config.minibatch()) {
                ControlExperience minibatch =
                        experience.select(Arrays.copyOfRange(order, from, from + config.minibatch()));
                tally.addUpdate(updatePolicy(minibatch, epoch == 0, rate, tally));
                updateValues(minibatch, rate, tally);
            }
        }
        return tally;
    }

    private UpdateReport updatePolicy(
            ControlExperience minibatch, boolean firstEpoch, double rate, ControlTally tally) {
        ControlPolicy.Pass pass = policy.forward(minibatch.observations(), minibatch.actions());
        PolicyLossResult loss = config.policyLoss()
                .evaluate(row(pass.logProbs()), row(minibatch.logProbs()), row(minibatch.advantages()), rowWeights);
        TokenLoss bonus = EntropyBonus.evaluate(row(pass.entropies()), config.entropyCoefficient(), rowWeights);
        tally.addPolicy(loss.loss(), loss.statistics());
        if (firstEpoch) {
            tally.addEntropy(Arrays.stream(pass.entropies()).sum(), minibatch.size());
        }
        pass.backward(loss.gradient()[0], bonus.gradient()[0]);
        return policyModel.update(rate);
    }

    private void updateValues(ControlExperience minibatch, double rate, ControlTally tally) {
        Mlp.Pass pass = valueModel.mlp().forward(minibatch.observations());
        double[] values = Arrays.stream(pass.output()).mapToDouble(v -> v[0]).toArray();
        ClippedValueLoss.Result loss =
                config.valueLoss().evaluate(row(values), row(minibatch.values()), row(minibatch.returns()), rowWeights);
        tally.addValue(loss.loss());
        valueModel.mlp().backward(pass, column(loss.gradient()[0]));
        valueModel.update(rate);
    }

    /** A minibatch of steps is one row: its order has no meaning to the losses. */
    private static double[][] row(double[] steps) {
        return new double[][] {steps};
    }

    private static double[][] column(double[] values) {
        return Arrays.stream(values).mapToObj(v -> new double[] {v}).toArray(double[][]::new);
    }
}
