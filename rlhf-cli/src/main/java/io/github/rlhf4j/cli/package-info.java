/** The rlhf command: the whole recipe, each stage by itself, and the report. */
@NullMarked
package io.github.rlhf4j.cli;

import org.jspecify.annotations.NullMarked;
