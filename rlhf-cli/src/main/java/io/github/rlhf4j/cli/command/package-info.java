/** The commands of {@code rlhf}: what a user types, and what is said when it is wrong. */
@NullMarked
package io.github.rlhf4j.cli.command;

import org.jspecify.annotations.NullMarked;
