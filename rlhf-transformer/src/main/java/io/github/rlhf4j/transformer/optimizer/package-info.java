/** AdamW over the flat parameter buffer. */
@NullMarked
package io.github.rlhf4j.transformer.optimizer;

import org.jspecify.annotations.NullMarked;
