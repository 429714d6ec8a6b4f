/** The transformer, layer by layer, forward and backward by hand. */
@NullMarked
package io.github.rlhf4j.transformer.model;

import org.jspecify.annotations.NullMarked;
