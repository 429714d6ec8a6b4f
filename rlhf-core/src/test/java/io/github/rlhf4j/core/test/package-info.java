/** What the tests of several modules share. */
@NullMarked
package io.github.rlhf4j.core.test;

import org.jspecify.annotations.NullMarked;
