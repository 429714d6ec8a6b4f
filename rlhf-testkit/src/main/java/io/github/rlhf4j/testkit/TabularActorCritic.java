package io.github.rlhf4j.testkit;

import io.github.rlhf4j.core.ActorCritic;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.random.RandomKey;

/** A tabular policy whose rows carry a value beside the logits: the smallest thing that shares a trunk. */
public final class TabularActorCritic extends TabularPolicy implements ActorCritic {

    private final int valueColumn;

    /** The uniform policy with values 0. */
    public TabularActorCritic(
            Tokenizer tokenizer, TabularContext context, int contextLength, TabularOptimizer optimizer) {
        super(
                tokenizer,
                context,
                contextLength,
                new StateTable(tokenizer.vocabularySize() + 1, optimizer, RandomKey.of(0), 0));
        this.valueColumn = tokenizer.vocabularySize();
    }

    @Override
    public double[][] values(SequenceBatch batch) {
        return TabularValueFunction.read(table, context, valueColumn, batch);
    }

    @Override
    public JointPass forwardJointly(SequenceBatch batch) {
        return jointly(batch, new Pass(batch, null));
    }

    @Override
    public JointPass forwardJointly(SequenceBatch batch, Policy reference) {
        return jointly(batch, new Pass(batch, tabular(reference)));
    }

    private JointPass jointly(SequenceBatch batch, Pass policyPass) {
        double[][] values = values(batch);
        return new JointPass() {
            @Override
            public TokenScores scores() {
                return policyPass.scores();
            }

            @Override
            public double[][] values() {
                return values;
            }

            @Override
            public void backward(TokenGradients gradients, double[][] dValues) {
                policyPass.backward(gradients);
                TabularValueFunction.addGradients(table, context, valueColumn, batch, dValues);
            }

            @Override
            public void close() {
                policyPass.close();
            }
        };
    }
}
