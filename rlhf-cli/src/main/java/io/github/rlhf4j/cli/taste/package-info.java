/** The hidden taste of the main job's simulated labeler: what it holds to be a good explanation of a word. */
@NullMarked
package io.github.rlhf4j.cli.taste;

import org.jspecify.annotations.NullMarked;
