/** Tokenizers, transformer, optimiser, generation and language-model training on ND4J. */
@NullMarked
package io.github.rlhf4j.transformer;

import org.jspecify.annotations.NullMarked;
