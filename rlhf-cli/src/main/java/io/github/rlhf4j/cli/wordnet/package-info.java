/** The dictionary of the main job: WordNet 3.1's words, definitions and quoted examples, and the texts made of them. */
@NullMarked
package io.github.rlhf4j.cli.wordnet;

import org.jspecify.annotations.NullMarked;
