/** Labelers that are programs: a hidden taste, and the mistakes a person would make. */
@NullMarked
package io.github.rlhf4j.reward.labeling;

import org.jspecify.annotations.NullMarked;
