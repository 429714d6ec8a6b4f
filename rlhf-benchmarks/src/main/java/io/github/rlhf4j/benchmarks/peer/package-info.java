/** Side by side with PyTorch, transformers, TRL and tokenizers: same work, same weights, same threads, turn by turn. */
@NullMarked
package io.github.rlhf4j.benchmarks.peer;

import org.jspecify.annotations.NullMarked;
