/** The whole recipe as a pipeline of stages, from raw text to an aligned model. */
@NullMarked
package io.github.rlhf4j.cli.recipe;

import org.jspecify.annotations.NullMarked;
