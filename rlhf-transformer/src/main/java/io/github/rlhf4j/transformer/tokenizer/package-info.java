/** Tokenizers, trained here or loaded: byte-level BPE and characters. */
@NullMarked
package io.github.rlhf4j.transformer.tokenizer;

import org.jspecify.annotations.NullMarked;
