/** Datasets: files in the shapes people already have, read with errors that name line, field and remedy. */
@NullMarked
package io.github.rlhf4j.core.data;

import org.jspecify.annotations.NullMarked;
