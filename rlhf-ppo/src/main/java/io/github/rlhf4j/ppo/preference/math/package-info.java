/**
 * What a policy minimises to learn from preferences without a reward model or samples: pure functions of log-probabilities
 * with closed-form gradients, each variant one file named after its paper. No tensor, no text, no state.
 *
 * <p>Letters: y_w is the chosen (winning) response, y_l the rejected one, r = {@link
 * io.github.rlhf4j.ppo.preference.math.ImplicitReward} of a response, δ = r(y_w) − r(y_l), σ the logistic function.
 */
@NullMarked
package io.github.rlhf4j.ppo.preference.math;

import org.jspecify.annotations.NullMarked;
