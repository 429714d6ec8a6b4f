/** Keyed randomness: a draw is a function of its key, never of what was drawn before. */
@NullMarked
package io.github.rlhf4j.core.random;

import org.jspecify.annotations.NullMarked;
