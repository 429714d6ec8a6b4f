/** Model directories that Hugging Face transformers opens as they are. */
@NullMarked
package io.github.rlhf4j.transformer.files;

import org.jspecify.annotations.NullMarked;
