/** Models of Andrej Karpathy's llama2.c. */
@NullMarked
package io.github.rlhf4j.transformer.files.llama2c;

import org.jspecify.annotations.NullMarked;
