/** Sampling: from next-token logits to completions, batched, streamed, with a key-value cache. */
@NullMarked
package io.github.rlhf4j.transformer.generation;

import org.jspecify.annotations.NullMarked;
