/** Functions of a number that the objectives of several modules share. */
@NullMarked
package io.github.rlhf4j.core.math;

import org.jspecify.annotations.NullMarked;
