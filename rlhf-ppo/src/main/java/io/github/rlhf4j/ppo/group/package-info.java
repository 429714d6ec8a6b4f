/** Policy optimisation without a value function: the responses to one prompt are each other's baseline. */
@NullMarked
package io.github.rlhf4j.ppo.group;

import org.jspecify.annotations.NullMarked;
