/**
 * Tokenizers, transformer, optimiser, generation and language-model training on ND4J.
 *
 * <p>Letters, used everywhere in this module: B sequences, N packed tokens (of all sequences, one after the other, no
 * padding), T tokens of a sequence, C width, H heads, D head size, F feed-forward width, V vocabulary, L layers. Shapes are
 * written {@code [N, C]}. A gradient has the name of its value with {@code d}: {@code dOut}, {@code dWeight}.
 */
@NullMarked
package io.github.rlhf4j.transformer;

import org.jspecify.annotations.NullMarked;
