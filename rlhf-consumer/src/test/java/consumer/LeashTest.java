package consumer;

import io.github.rlhf4j.ppo.math.Ragged;
import io.github.rlhf4j.testkit.GradientCheck;
import io.github.rlhf4j.testkit.RlhfDomain;
import io.github.rlhf4j.testkit.RolloutNumbers;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.domains.Domain;

/** A leash of one's own, Σ log cosh(log π − log π_ref), that pulls no harder than 1; and its gradient. */
@Domain(RlhfDomain.class)
class LeashTest {

    @Property
    void theGradientIsTheSlopeOfTheLoss(@ForAll RolloutNumbers rollout) {
        double[][] reference = rollout.referenceLogProbs();
        double[][] gradient = Ragged.combine(rollout.logProbs(), reference, (p, q) -> Math.tanh(p - q));
        GradientCheck.STANDARD.check("leash", rollout.logProbs(), logProbs -> loss(logProbs, reference), gradient);
    }

    private static double loss(double[][] logProbs, double[][] reference) {
        return Ragged.sum(Ragged.combine(logProbs, reference, (p, q) -> Math.log(Math.cosh(p - q))));
    }
}
