package io.github.rlhf4j.transformer;

import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.transformer.kernels.Arena;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The frozen model whose next-token distributions a trained one's are compared with. */
record KlReference(ModelCore core) {

    /**
     * The reference's distributions at the scored tokens, as what the token head makes them of.
     *
     * @param hidden {@code [M, C']}, M scored tokens; of no meaning where there are none
     * @param table {@code [V, C']}
     */
    record Rows(INDArray hidden, INDArray table) {}

    /**
     * A reference for {@code trained}.
     *
     * @throws IllegalArgumentException when it is no transformer, or of another vocabulary or type of numbers
     */
    static KlReference of(ModelCore trained, Policy reference) {
        ModelCore core = coreOf(reference);
        int size = trained.config().vocabularySize();
        int other = core.config().vocabularySize();
        if (size != other) {
            throw new IllegalArgumentException(
                    "an exact KL compares distributions over one vocabulary; the policy's has "
                            + size + " tokens, the reference's " + other
                            + ", paddings included. Give a copy of the model that the policy begins with");
        }
        DataType type = trained.store().dataType();
        if (type != core.store().dataType()) {
            throw new IllegalArgumentException(
                    "an exact KL needs policy and reference in one type of numbers; the policy is in " + type
                            + ", the reference in " + core.store().dataType());
        }
        return new KlReference(core);
    }

    private static ModelCore coreOf(Policy reference) {
        if (reference instanceof TransformerPolicy policy) {
            return policy.core();
        } else if (reference instanceof TransformerActorCritic both) {
            return both.core();
        }
        throw new IllegalArgumentException("an exact KL needs the whole distributions of the reference, which a"
                + " TransformerPolicy or TransformerActorCritic has; got "
                + reference.getClass().getName()
                + ". K2 in the loss needs the reference's log-probs alone");
    }

    /** Runs the reference over the batch; what is kept is in {@code arena}, what that takes meanwhile in the reference's own. */
    Rows rows(SequenceBatch batch, Arena arena) {
        ScoredRows scored = ScoredRows.of(batch, core.config());
        INDArray hidden = arena.take(Math.max(1, scored.count()), core.config().width());
        if (scored.count() > 0) {
            core.infer(own -> {
                INDArray all = core.trunk().infer(scored.packed(), null, own);
                core.kernels().gatherRows(all, scored.rows(), hidden);
                return hidden;
            });
        }
        return new Rows(hidden, core.trunk().headTable().value());
    }
}
