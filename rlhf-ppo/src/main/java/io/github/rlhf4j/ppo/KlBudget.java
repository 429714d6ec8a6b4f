package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.core.training.Trainer;
import io.github.rlhf4j.core.training.TrainingListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A hard limit on how far a policy may go from its reference: stops the run after the step whose rollout had a larger KL.
 * That rollout was drawn before the step's updates, so the policy is past the limit by no more than those. For every trainer
 * that reports {@code objective/kl}, the mean of Σ_t log π − log π_ref over the rollout's responses. To go on within a limit
 * rather than stop there, see {@link GuardSettings#klBudget()}.
 *
 * @param limit nats per sequence, &gt; 0
 */
public record KlBudget(double limit) implements TrainingListener {

    private static final Logger LOG = LoggerFactory.getLogger(KlBudget.class);
    private static final String KL = "objective/kl";

    public KlBudget {
        if (!(limit > 0) || Double.isInfinite(limit)) {
            throw new IllegalArgumentException(
                    "a KL budget must be > 0 and finite, got " + limit + " nats per sequence");
        }
    }

    @Override
    public boolean onStep(Trainer trainer, StepReport report) {
        Double kl = report.metrics().get(KL);
        if (kl == null) {
            throw new IllegalArgumentException("a KL budget needs a trainer that reports " + KL + "; the stage "
                    + report.stage() + " reports " + report.metrics().keySet());
        }
        if (kl > limit) {
            LOG.info("step {}: a KL of {} nats per sequence has used up the budget of {}", report.step(), kl, limit);
        }
        return kl <= limit;
    }
}
