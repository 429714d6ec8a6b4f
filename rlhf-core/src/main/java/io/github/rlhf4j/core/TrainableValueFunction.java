package io.github.rlhf4j.core;

/** A value function whose parameters can be moved; used as a {@link TrainablePolicy} is. */
public interface TrainableValueFunction extends ValueFunction, Checkpointable {

    ValuePass forward(SequenceBatch batch);

    /** As {@link TrainablePolicy#update}. */
    UpdateReport update(double learningRate);
}
