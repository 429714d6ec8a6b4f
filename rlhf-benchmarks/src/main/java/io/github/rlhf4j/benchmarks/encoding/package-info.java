/** Encoding of text beside the tokenizers that Java programs use otherwise. */
@NullMarked
package io.github.rlhf4j.benchmarks.encoding;

import org.jspecify.annotations.NullMarked;
