package io.github.rlhf4j.ppo.internal;

import io.github.rlhf4j.core.ActorCritic;
import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.TrainablePolicy;
import io.github.rlhf4j.ppo.math.KlPenalty;
import io.github.rlhf4j.ppo.math.Ragged;
import io.github.rlhf4j.ppo.math.TokenLoss;
import org.jspecify.annotations.Nullable;

/** The KL to the reference in a policy's loss: what passes it needs, and what it adds to their gradient. */
public final class LossKl {

    private final KlPenalty penalty;
    private final @Nullable Policy compared;

    private LossKl(KlPenalty penalty, @Nullable Policy compared) {
        this.penalty = penalty;
        this.compared = compared;
    }

    /**
     * The term of a run.
     *
     * @throws IllegalArgumentException when an exact KL is asked of a policy that has none to this reference
     */
    public static LossKl of(KlPenalty penalty, TrainablePolicy policy, Policy reference) {
        if (!penalty.isOn() || penalty instanceof KlPenalty.Estimated) {
            return new LossKl(penalty, null);
        }
        policy.requireKlTo(reference);
        return new LossKl(penalty, reference);
    }

    /** Whether passes have to give the KL, and so have to be those of {@link #forward} even where nothing goes back. */
    public boolean isExact() {
        return compared != null;
    }

    /** A pass of the policy that the term was made for, with the KL where it has to be exact. */
    public ForwardPass forward(TrainablePolicy policy, SequenceBatch batch) {
        return compared == null ? policy.forward(batch) : policy.forward(batch, compared);
    }

    /** As {@link #forward}, of both heads. */
    public ActorCritic.JointPass forwardJointly(ActorCritic model, SequenceBatch batch) {
        return compared == null ? model.forwardJointly(batch) : model.forwardJointly(batch, compared);
    }

    /**
     * The gradients of a micro-batch with this term's, which the tally is told of.
     *
     * @param others of the rest of the loss, without a KL
     * @param scores of a pass of {@link #forward} or {@link #forwardJointly}
     * @param referenceLogProbs log π_ref of each token, nats
     * @param rowWeights weight of each row's tokens
     * @throws DivergenceException when the term is not finite
     */
    public TokenGradients addTo(
            TokenGradients others,
            TokenScores scores,
            double[][] referenceLogProbs,
            double[] rowWeights,
            PolicyTally tally) {
        if (!penalty.isOn()) {
            return others;
        } else if (penalty instanceof KlPenalty.Exact exact) {
            double[][] kls = requireKls(scores);
            TokenLoss loss = exact.evaluate(kls, rowWeights);
            tally.addKl(requireFinite(loss.loss()));
            tally.addExactKl(Ragged.sum(kls), Ragged.count(kls));
            return new TokenGradients(others.dLogProbs(), others.dEntropies(), loss.gradient());
        }
        TokenLoss loss = ((KlPenalty.Estimated) penalty).evaluate(scores.logProbs(), referenceLogProbs, rowWeights);
        tally.addKl(requireFinite(loss.loss()));
        return new TokenGradients(
                Ragged.combine(others.dLogProbs(), loss.gradient(), Double::sum), others.dEntropies());
    }

    private static double[][] requireKls(TokenScores scores) {
        double[][] kls = scores.kls();
        if (kls == null) {
            throw new IllegalStateException("the policy's forward(batch, reference) gave scores without kls");
        }
        return kls;
    }

    private static double requireFinite(double loss) {
        if (!Double.isFinite(loss)) {
            throw new DivergenceException(
                    "the KL in the loss is " + loss + ": the run has diverged. Go back to the last"
                            + " checkpoint and lower the learning rate; gradient_norm and approx_kl of the steps before show where"
                            + " it began");
        }
        return loss;
    }
}
