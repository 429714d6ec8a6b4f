/**
 * Learning from preferences directly, without a reward model or samples: DPO and its relatives. {@link
 * io.github.rlhf4j.ppo.preference.DpoTrainer} trains with any loss of {@code preference.math}.
 */
@NullMarked
package io.github.rlhf4j.ppo.preference;

import org.jspecify.annotations.NullMarked;
