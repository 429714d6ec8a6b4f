/** How good a reward model is: accuracy, calibration, agreement with another, and what optimising against it does. */
@NullMarked
package io.github.rlhf4j.reward.evaluation;

import org.jspecify.annotations.NullMarked;
