/** Policy optimisation: objectives as pure functions, rollouts, PPO, best-of-n. No tensors. */
@NullMarked
package io.github.rlhf4j.ppo;

import org.jspecify.annotations.NullMarked;
